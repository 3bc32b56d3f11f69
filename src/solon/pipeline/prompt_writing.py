"""Fills a file with prompts that a model writes. A command that was killed goes on where it stopped, to the same bytes.

Replies are kept in a folder beside the file, batch by batch. What of them is kept follows from the replies alone, so it
is worked out anew each time.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from solon.artifacts.atomic import canonical_json, sha256_bytes, sweep, write_atomic
from solon.artifacts.lock import FolderLock
from solon.artifacts.manifest import Counts, differences
from solon.artifacts.shards import decode_rows, encode_rows, shard_name
from solon.data.example_prompts import ExamplePrompt
from solon.errors import PASSING, EngineUnavailableError, UserError
from solon.feedback.prompt_writing import KINDS, Kind, Reply, Sieve, WrittenPrompt, ask, sieve_of
from solon.feedback.rows import Sampler
from solon.pipeline.work import MAX_LOST
from solon.progress import Reporter
from solon.records import Record

BATCH = 64
"""Requests at most that are asked side by side, and lost by a kill."""
LEAST = 20
"""Requests that may always be made."""


class Account(Record):
    """What became of a command that was to write prompts."""

    asked: JsonValue
    """What the replies are a function of: model, sampling, seed, and hashes of the texts."""
    requests: int
    counts: Counts
    """`in`: lines that came."""
    categories: dict[str, int]
    tokens: int


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be written."""

    kind: Kind
    count: int
    examples: Sequence[ExamplePrompt]
    not_like: Sequence[str]
    tries: int
    """Requests for each prompt that is wanted, at most."""
    models: Mapping[str, JsonValue] = field(default_factory=dict)
    """How the model is written to, and in which arithmetic it writes: the keys of a run file that can change a reply.
    """


def write_prompts(order: Order, sampler: Sampler, out: Path, reporter: Reporter) -> Account:
    """Writes the file.

    Raises `UserError` if it is there already, if it was begun from something else, or if the model does not give so
    many prompts; all replies are then kept. `EngineUnavailableError` if the engine loses too many requests.
    """
    require_new(out)
    sieve = sieve_of(order.examples, order.not_like, order.count)
    replies: list[Reply] = []
    reporter.stage(f"{order.kind} prompts", order.count)
    begun = _begun(order, sampler)
    with _locked(out, begun) as folder:
        for batch in _batches(folder, order, sampler, sieve, replies):
            before = sieve.missing
            for reply in batch:
                sieve.take(reply)
            replies += batch
            reporter.advance(before - sieve.missing, sum(reply.tokens for reply in batch))
        account = _account(sieve, replies, begun)
        if sieve.missing > 0:
            raise _too_few(account, order, folder)
        write_atomic(account_of(out), canonical_json(account, indent=2))
        write_atomic(out, encode_rows(_written(order.kind, sieve, sampler)))
    shutil.rmtree(folder)
    reporter.end_stage()
    return account


def require_new(out: Path) -> None:
    if out.exists():
        raise UserError(f"{out} is there already", hint="choose another file with -o, or delete it")


def work_folder(out: Path) -> Path:
    """Where replies lie until the file is there, and what a server's work has cost."""
    return out.with_name(f"{out.name}.partial")


def account_of(out: Path) -> Path:
    """Where the account of a file of prompts lies."""
    return out.with_name(f"{out.name}.account.json")


def _written(kind: Kind, sieve: Sieve, sampler: Sampler) -> Iterator[WrittenPrompt]:
    for text, reply in sieve.kept:
        yield WrittenPrompt(
            prompt=text,
            kind=KINDS[kind],
            category=reply.category,
            written_by=sampler.model.identity,
            seed=sampler.seed,
            request=reply.request,
            shown=reply.shown,
        )


def _account(sieve: Sieve, replies: Sequence[Reply], begun: JsonValue) -> Account:
    dropped = dict(sieve.dropped.most_common())
    return Account(
        asked=begun,
        requests=len(replies),
        counts=Counts(rows_in=sieve.lines, rows_out=len(sieve.kept), dropped=dropped),
        categories=dict(sieve.categories),
        tokens=sum(reply.tokens for reply in replies),
    )


def _too_few(account: Account, order: Order, folder: Path) -> UserError:
    left_out = ", ".join(f"{reason}: {count}" for reason, count in account.counts.dropped.items())
    given = f"the model gave {account.counts.rows_out} of {order.count} prompts in {account.requests} requests"
    hint = (
        f"all replies are kept: ask for more with --tries {2 * order.tries}; or delete {folder}, and give other "
        "examples, another model or other sampling"
    )
    return UserError(f"{given} (left out: {left_out})" if left_out else given, hint=hint)


def _batches(
    folder: Path, order: Order, sampler: Sampler, sieve: Sieve, replies: Sequence[Reply]
) -> Iterator[list[Reply]]:
    """Batches of replies, read where they were kept, until enough was kept or the tries are used up."""
    limit, index = max(LEAST, order.tries * order.count), 0
    while sieve.missing > 0 and len(replies) < limit:
        path = folder / shard_name("replies", index)
        if path.exists():
            batch = list(decode_rows(path.read_bytes().splitlines(), Reply, path))
        else:
            size = min(BATCH, max(1, (sieve.missing + 1) // 2), limit - len(replies))  # if half of what is asked serves
            batch = ask(order.kind, order.examples, range(len(replies), len(replies) + size), sampler)
            _require_replies(batch)
            write_atomic(path, encode_rows(batch))
        yield batch
        index += 1


def _require_replies(batch: Sequence[Reply]) -> None:
    """Raises `EngineUnavailableError` if more are lost than a shard of a run may lose: another try may have them."""
    lost = sum(reply.lost in PASSING for reply in batch)
    if lost > math.ceil(MAX_LOST * len(batch)):
        hint = "see to the engine, then give the same command again: it asks for them again"
        raise EngineUnavailableError(f"{lost} of {len(batch)} requests were lost", hint=hint)


def _begun(order: Order, sampler: Sampler) -> dict[str, JsonValue]:
    """What the replies are a function of."""
    return {
        "kind": order.kind,
        "seed": sampler.seed,
        "model": sampler.model.identity,
        "models": dict(order.models),
        "sampling": dict(vars(sampler.sampling)),
        "examples": sha256_bytes(canonical_json(order.examples)),
        "not_like": sha256_bytes(canonical_json(order.not_like)),
    }


@contextmanager
def _locked(out: Path, begun: Mapping[str, JsonValue]) -> Iterator[Path]:
    """The folder of replies, which nobody else uses. Raises `UserError` if it holds those to other requests."""
    folder = work_folder(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(folder)
    except OSError as error:
        what = f"cannot write {error.filename or folder}: {error.strerror}"
        raise UserError(what, hint="choose another file with -o") from error
    try:
        sweep(folder)
        start = folder / "begun.json"
        if start.exists() and (told := differences(json.loads(start.read_bytes()), begun)):
            hint = f"delete {folder}, or choose another file with -o"
            raise UserError(f"{folder} holds replies to other requests: {told}", hint=hint)
        write_atomic(start, canonical_json(begun))
        yield folder
    finally:
        lock.release()
