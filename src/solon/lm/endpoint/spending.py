"""What requests cost in tokens and money, and a limit on it that holds over kills and resumes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import ValidationError

from solon.config.engines import EndpointSection
from solon.errors import EngineUnavailableError, RunError, Where
from solon.records import Record

_WIDTH = 80
"""Characters of the ledger's line: always as many, so that one is written over the other."""
_MORE = "raise the limit, and give the same command again"


class Tokens(Record):
    """Tokens read and written."""

    read: int = 0
    written: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(read=self.read + other.read, written=self.written + other.written)

    def __sub__(self, other: Tokens) -> Tokens:
        return Tokens(read=self.read - other.read, written=self.written - other.written)


class Spending:
    """What all requests together have cost. A request reserves the most that it can cost before it is sent.

    The ledger, a file, always holds what is spent and reserved. A process that is killed leaves there what the requests
    under way might have cost, so that no later one spends it again.
    """

    def __init__(self, limits: EndpointSection, ledger: Path | None = None):
        """Raises `RunError` if the ledger cannot be read."""
        self._limits, self._ledger = limits, ledger
        self._reserved = Tokens()
        self.spent = _read(ledger) if ledger and ledger.exists() else Tokens()

    def cost(self, tokens: Tokens) -> float:
        """In the currency of the prices."""
        return (tokens.read * self._limits.input_price + tokens.written * self._limits.output_price) / 1e6

    def room(self, most: Tokens) -> bool:
        """Whether so much may be spent now. Raises `EngineUnavailableError` if it never may."""
        if over := self._over(self.spent + most):
            raise EngineUnavailableError(f"the next request might exceed {over}", hint=_MORE)
        return not self._over(self.spent + self._reserved + most)

    @contextmanager
    def reserved(self, most: Tokens) -> Iterator[Callable[[Tokens], None]]:
        """Reserves the most that a request can cost, until the block ends or says what it did cost. A block that is
        cancelled says nothing: the server may go on, so the most counts."""
        self._reserved += most
        self._keep()
        told: list[Tokens] = []
        try:
            yield told.append
        finally:
            self._reserved -= most
            self.spent += told[-1] if told else most
            self._keep()

    def _over(self, tokens: Tokens) -> str | None:
        """The limit that so much exceeds, if any."""
        total, limits = tokens.read + tokens.written, self._limits
        if limits.max_tokens is not None and total > limits.max_tokens:
            spent = self.spent.read + self.spent.written
            return f"max_tokens = {limits.max_tokens:,} ({spent:,} are spent)"
        if limits.max_cost is not None and self.cost(tokens) > limits.max_cost:
            return f"max_cost = {limits.max_cost:g} ({self.cost(self.spent):.4g} is spent)"
        return None

    def _keep(self) -> None:
        """One write over what was there: a kill leaves the line before or the line after. Where nothing was spent, as
        with a server that is not there, nothing is left."""
        if self._ledger is None:
            return
        if (total := self.spent + self._reserved) == Tokens():
            self._ledger.unlink(missing_ok=True)
            with suppress(OSError):  # it holds more
                self._ledger.parent.rmdir()
            return
        line = total.model_dump_json().ljust(_WIDTH - 1) + "\n"
        self._ledger.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._ledger, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(descriptor, line.encode(), 0)
        finally:
            os.close(descriptor)


def _read(ledger: Path) -> Tokens:
    try:
        return Tokens.model_validate_json(ledger.read_bytes())
    except ValidationError as error:
        hint = "write into it what was spent, or delete it to begin at nothing"
        raise RunError("not a ledger of tokens", where=Where(ledger), hint=hint) from error
