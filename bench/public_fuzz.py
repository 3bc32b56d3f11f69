"""Damaged exports: whatever happens to one, its import ends in a clear error, a stated finding, or no difference.

Small made-up conversations in every layout, and the reference data where there is any, are damaged in more than thirty
ways (`damage/mutations.py`). What becomes of each:

- error: a UserError that names the file and says what to do;
- stated: imported differently, with a repair or a warning that the undamaged export does not get;
- repaired: the very same conversation, with such a repair or warning;
- unchanged: the very same conversation, and nothing to say;
- only copy: something that the export says only once is another valid one, so that no reader can tell: the text,
  author, time, moderation or mark of a statement, an exported group, the topic, the milliseconds of a vote, that
  somebody voted before or again in the same way, or the id of somebody who wrote nothing (all else about them being
  the same);
- silent: anything else that differs without a word. There must be none, nor a traceback.

python bench/public_fuzz.py [NUMBER [SEED]]
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from damage.exports import Files, layouts, made_up
from damage.mutations import MUTATIONS, Mutation

from solon.collective.conversation import Conversation, VoteLog
from solon.collective.reading.findings import Import
from solon.collective.reading.folder import open_conversation
from solon.errors import UserError
from solon.seeds import generator

OUTCOMES = ("error", "stated", "repaired", "unchanged", "only copy", "silent", "traceback")
ONCE = ("text", "moderated", "is_seed", "is_meta", "author", "created")
"""Fields of a statement that an export may have only once."""
STATED_ONCE = {*ONCE, "exported_group", "topic", "description", "milliseconds", "replaced votes", "somebody's id"}
REFERENCE = Path(__file__).resolve().parents[1] / os.environ.get("SOLON_REFERENCE_DATA", "../shared/data")
SMALL_ENOUGH = 800_000
"""Bytes of a reference export that is damaged too; larger ones would take hours."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What became of one damaged export."""

    mutation: str
    layout: str
    outcome: str
    detail: str


def bases(seed: int) -> Iterator[tuple[str, Files]]:
    """Made-up exports in every layout, and small reference exports."""
    yield from layouts(made_up(seed)).items()
    for folder in sorted(REFERENCE.glob("polis/*")):
        files = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".csv", ".json")}
        if sum(map(len, files.values())) < SMALL_ENOUGH:
            yield folder.name, files


def trial(layout: str, files: Files, good: Import, mutation: Mutation, rng: np.random.Generator) -> Trial | None:
    """Damage the files, import them, and see what is said."""
    damaged = mutation(files, rng)
    if damaged is None:
        return None
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        path = Path(folder) / "export"
        write(path, damaged)
        outcome, detail = judged(path, good)
    return Trial(mutation=mutation.__name__, layout=layout, outcome=outcome, detail=detail)


def write(path: Path, files: Files) -> None:
    path.mkdir()
    for name, data in files.items():
        (path / name).write_bytes(data)


def judged(path: Path, good: Import) -> tuple[str, str]:
    """The outcome, and what was said or what differs."""
    try:
        got = open_conversation(path)
    except UserError as error:
        clear = all(fault.where is not None and fault.hint for fault in error.faults if "more" not in fault.what)
        return ("error" if clear else "silent"), str(error)
    except Exception:  # noqa: BLE001  (a bug is what is looked for)
        return "traceback", traceback.format_exc()
    before = {(one.severity, one.where, one.what) for one in good.findings}
    new = [one for one in got.findings if one.severity != "note" and (one.severity, one.where, one.what) not in before]
    differs = differences(got.conversation, good.conversation)
    if new:
        return ("stated" if differs else "repaired"), "\n".join(map(str, new))
    if not differs:
        return "unchanged", ""
    return ("only copy" if differs <= STATED_ONCE else "silent"), ", ".join(sorted(differs))


def differences(one: Conversation, other: Conversation) -> set[str]:
    """Names of what differs. Where a conversation came from does not count."""
    found = {name for name in ("topic", "description") if getattr(one, name) != getattr(other, name)}
    if one.statement_ids.tolist() != other.statement_ids.tolist():
        return {*found, "statements"}
    for a, b in zip(one.statements, other.statements, strict=True):
        found |= {name for name in ONCE if getattr(a, name) != getattr(b, name)}
    if one.participant_ids.tolist() != other.participant_ids.tolist():
        alike = sorted(map(bytes, one.votes_PS)) == sorted(map(bytes, other.votes_PS))
        return {*found, "somebody's id" if alike else "participants"}
    if one.participants != other.participants:
        found.add("exported_group")
    if not (np.array_equal(one.votes_PS, other.votes_PS) and np.array_equal(one.seen_PS, other.seen_PS)):
        found.add("votes")
    if (one.log is None) != (other.log is None):
        found.add("log")
    elif one.log is not None and other.log is not None:
        found |= log_differences(one.log, other.log)
    return found


def log_differences(one: VoteLog, other: VoteLog) -> set[str]:
    """What differs in the votes as they were cast. Milliseconds are apart, for `datetime` leaves them out."""
    events, others = _events(one), _events(other)
    if events == others:
        return set()
    if sorted(event[:-1] for event in events) == sorted(event[:-1] for event in others):
        return {"milliseconds"}
    return {"replaced votes"} if _same_but_for_revotes(one, other) else {"log"}


def _events(log: VoteLog) -> list[tuple[int, ...]]:
    columns = (log.participant, log.statement, log.vote, log.time // 1000, log.time % 1000)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def _same_but_for_revotes(one: VoteLog, other: VoteLog) -> bool:
    """What differs is in cells that were voted on again, and the last vote there is the same."""
    times = [Counter(event[:2] for event in _events(log)) for log in (one, other)]
    differs = {event[:2] for event in set(_events(one)) ^ set(_events(other))}
    again = all(max(counts[cell] for counts in times) > 1 for cell in differs)
    return again and _last(one) == _last(other)


def _last(log: VoteLog) -> dict[tuple[int, int], int]:
    columns = (log.participant, log.statement, log.vote)
    return {(p, s): vote for p, s, vote in zip(*(column.tolist() for column in columns), strict=True)}


def trials(number: int, seed: int) -> Iterator[Trial]:
    """Every mutation of every export in turn, until there are `number`."""
    exports = []
    for layout, files in bases(seed):
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder) / "export", files)
            exports.append((layout, files, open_conversation(Path(folder) / "export")))
    done = at = 0
    while done < number:
        layout, files, good = exports[at % len(exports)]
        mutation = MUTATIONS[at // len(exports) % len(MUTATIONS)]
        found = trial(layout, files, good, mutation, generator(seed, "damage", at))
        at += 1
        if found:
            done += 1
            yield found


def main() -> int:
    if {"-h", "--help"} & {*sys.argv[1:]}:
        print(__doc__)
        return 0
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    counts: Counter[tuple[str, str]] = Counter()
    bad: list[Trial] = []
    for one in trials(number, seed):
        counts[one.mutation, one.outcome] += 1
        if one.outcome in ("silent", "traceback"):
            bad.append(one)
    print("| mutation | " + " | ".join(OUTCOMES) + " |\n|---" + "|---:" * len(OUTCOMES) + "|")
    for name in [mutation.__name__ for mutation in MUTATIONS]:
        print(f"| {name.replace('_', ' ')} | " + " | ".join(str(counts[name, outcome]) for outcome in OUTCOMES) + " |")
    totals = [sum(count for (_, outcome), count in counts.items() if outcome == wanted) for wanted in OUTCOMES]
    print(f"| all {sum(totals)} | " + " | ".join(map(str, totals)) + " |")
    for one in bad[:20]:
        print(f"\n{one.outcome}: {one.mutation} of {one.layout}\n{one.detail}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
