"""Every error Solon raises on purpose.

A `UserError` says what is wrong, where, and what to do next; the command line prints it and exits with 2. An
`EngineError` loses one row, which is counted. Other `SolonError`s end a run with 1. Anything else is a bug and keeps
its traceback.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OTHER_VERSION = "use the version it was begun with, or begin a new run in another folder"
"""Hint for a run that this version cannot read."""


@dataclass(frozen=True)
class Where:
    """A place in a user's file. `line` counts from 1, as does `item`, the place in a list whose items share lines."""

    path: str | Path
    line: int | None = None
    item: int | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        return f"{self.path}{line}" + ("" if self.item is None else f", item {self.item}")


@dataclass(frozen=True)
class Fault:
    """One thing wrong with one place: what it is, where it stands, what to do about it."""

    what: str
    where: Where | None = None
    hint: str | None = None

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.what}{hint}"


class SolonError(Exception):
    """Base of every error raised on purpose."""


class UserError(SolonError, ValueError):
    """Something the user gave cannot be used. Holds its faults; all faults of one file are reported together."""

    def __init__(self, faults: str | Fault | Sequence[Fault], *, where: Where | None = None, hint: str | None = None):
        if isinstance(faults, str):
            faults = Fault(faults, where, hint)
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class ConfigError(UserError):
    """A run file or a `--set` that cannot be used."""


class ConstitutionError(UserError):
    """A constitution that cannot be used."""


class PromptError(UserError):
    """Prompts or helpfulness data that cannot be used."""


class ModelError(UserError):
    """A model folder that cannot be used."""


class InputError(UserError):
    """Public input that cannot be used: an export, an imported conversation, a table that goes with one."""


class EngineUnavailableError(UserError):
    """A language model that cannot be reached at all, or cannot do what its role needs."""


class RunError(UserError):
    """A run folder that is in use, holds another run, or cannot be written."""


class AmbiguousError(UserError):
    """A name that several things have. `found`: the full name of each, and what it is."""

    def __init__(self, faults: Sequence[Fault], found: Sequence[tuple[str, str]]):
        super().__init__(faults)
        self.found = tuple(found)


class OutOfMemoryError(UserError):
    """Memory does not hold what the run file says is to be computed at once; what was done is kept."""


class NoiseError(UserError):
    """The texts of a stage are too poor to learn from; they are kept."""


class EngineError(SolonError):
    """A language model failed at one request. Other requests may succeed, so only its row is lost."""

    reason = "the engine failed"
    """Rows are counted by it."""


class TooLongError(EngineError):
    """A context, and what may follow it, are more than the model reads at once."""

    reason = "too long"


class TimedOutError(EngineError):
    """There was no reply in time."""

    reason = "timed out"


class RefusedError(EngineError):
    """The provider would not reply; a model that declines in words has replied."""

    reason = "refused by the provider"


class GarbledError(EngineError):
    """There was a reply, but not of the form that was asked for."""

    reason = "garbled reply"


class ProseError(EngineError):
    """A model was asked which of some options it chooses, and said something else."""

    reason = "prose for a verdict"

    def __init__(self, told: str, *, said: str = ""):
        super().__init__(told)
        self.said = said


class NoNumbersError(EngineError):
    """The model's logits were no numbers, while those of other requests are."""

    reason = "no numbers"


class UnsupportedError(EngineError):
    """The engine cannot do what was asked; see its `Capabilities`."""

    reason = "not supported by the engine"


PASSING = frozenset(error.reason for error in (EngineError, TimedOutError, GarbledError))
"""Reasons to lose a row that may be gone when it is asked for again."""


class UnscoredError(SolonError):
    """More judge answers were unreadable than the run file allows; what was judged is kept."""


class ProcessError(SolonError):
    """The process of a stage was killed, or ran out of memory; what was done is kept."""


class DivergedError(SolonError):
    """A loss or a gradient is no longer a finite number; the last checkpoint is kept."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, the machine's or a device's: of torch's errors some say so by their text alone."""
    named = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return named or "can't allocate memory" in str(error)


@contextmanager
def memory_for(setting: str) -> Iterator[None]:
    """Raises `OutOfMemoryError` with the mechanical key to lower, if memory runs out in the block."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        hint = f"lower {setting}: give the same command with --set {setting}=N"
        raise OutOfMemoryError("memory ran out; all that was committed before is kept", hint=hint) from error
