"""How long the analysis of a conversation takes, and how much memory, from a hundred people to ten thousand.

Simulated votes: three camps with opinions of their own, 5% of all pairs of person and statement voted on. Measured are

- `analyse`: axes, places, base clusters, groups for every number tried, silhouettes, representativeness, majorities,
  polarisation and priorities;
- the whole command `solon collect analyse`: reading and checking an export, that, its tables, and how stable the groups
  are.

- the whole command `solon collect report`, the first time and again, when groups and their stability are kept.

Each in a process of its own, commands on one thread. Seconds are those of all cores together, so other programs do not
count; peak memory includes Python.

Promises: 10,000 people by 2,000 statements in under 60 s and 4 GB; the report of 1,116 people on 522 statements, who
voted on every second one, in 5 s and again in 1 s, and of 20,000 people with a million votes on 600 in 20 s. Exits with
1 where one is broken.
Run: `python bench/public_sizes.py`, or with `PEOPLE STATEMENTS` for one size.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.collective.conversation import Conversation, Participant, Statement
from solon.collective.opinion.analysis import analyse

SIZES = ((100, 50), (1_000, 200), (10_000, 200), (2_000, 2_000), (10_000, 1_000), (10_000, 2_000))
REPORTED = ((1_116, 522, 0.5, 5.0, 1.0), (20_000, 600, 1 / 12, 20.0, None))
"""People, statements, share of votes that are cast, and seconds that the report may take: the first time, and again."""
SHARE = 0.05
MAX_SECONDS, MAX_GB = 60.0, 4.0
SOLON = str(Path(sys.executable).with_name("solon"))


@dataclass(frozen=True, kw_only=True)
class Measured:
    """`analyse` on one size."""

    seconds: float
    """CPU."""
    peak_gb: float
    votes: int
    groups: int
    camps_found: float
    """Share of people whose group is their camp's commonest."""


def simulate(people: int, statements: int, share: float = SHARE) -> tuple[Conversation, np.ndarray]:
    """Votes, and the camp of each person."""
    draws = np.random.default_rng(0)
    camp_P = draws.choice(3, size=people, p=[0.5, 0.3, 0.2])
    agree_CS = draws.beta(0.6, 0.4, size=(3, statements))
    seen_PS = draws.random((people, statements), dtype=np.float32) < share
    agrees_PS = draws.random((people, statements), dtype=np.float32) < agree_CS.astype(np.float32)[camp_P]
    votes_PS = np.where(seen_PS, np.where(agrees_PS, 1, -1), 0).astype(np.int8)
    votes_PS[draws.random((people, statements), dtype=np.float32) < 0.1] = 0
    return Conversation(
        statements=tuple(Statement(id=one, text=f"Statement {one}", moderated=1) for one in range(statements)),
        participants=tuple(Participant(id=one) for one in range(people)),
        votes_PS=votes_PS,
        seen_PS=seen_PS,
    ), camp_P


def measure(people: int, statements: int) -> Measured:
    """One analysis in this process."""
    conversation, camp_P = simulate(people, statements)
    started = time.process_time()
    found = analyse(conversation)
    seconds = time.process_time() - started
    camps = camp_P[found.groups.participant_ids]
    right = sum(np.bincount(camps[found.groups.labels_G == group]).max() for group in range(found.groups.k))
    return Measured(
        seconds=seconds,
        peak_gb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,  # kilobytes on Linux
        votes=int(conversation.seen_PS.sum()),
        groups=found.groups.k,
        camps_found=float(right / len(camps)),
    )


def write_export(people: int, statements: int, folder: Path, share: float = SHARE) -> None:
    """The simulated votes as a Polis export of two files."""
    conversation, _ = simulate(people, statements, share)
    votes, seen = conversation.votes_PS, conversation.seen_PS
    with open(folder / "participants-votes.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["participant", "n-votes", "n-agree", "n-disagree", *range(statements)])
        for row in range(people):
            cells = np.where(seen[row], votes[row].astype(str), "")
            table.writerow([row, seen[row].sum(), (votes[row] == 1).sum(), (votes[row] == -1).sum(), *cells])
    with open(folder / "comments.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["comment-id", "agrees", "disagrees", "moderated", "comment-body"])
        for column in range(statements):
            counts = [(votes[:, column] == vote).sum() for vote in (1, -1)]
            table.writerow([column, *counts, 1, f"Statement {column}"])


def run_solon(folder: Path, *arguments: str) -> tuple[float, float]:
    """CPU seconds and peak gigabytes of a command, with a cache of its own in `folder`."""
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # whoever uses it has compiled modules
    with open(folder / "said.txt", "w", encoding="utf-8") as said:
        running = subprocess.Popen([SOLON, "collect", *arguments], stdout=said, stderr=said, env=environment)
        _, status, used = os.wait4(running.pid, 0)
    if status:
        raise SystemExit((folder / "said.txt").read_text(encoding="utf-8"))
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6


def exported(people: int, statements: int, share: float, folder: Path) -> None:
    """`write_export` in a process of its own, whose memory is not counted."""
    command = [sys.executable, __file__, str(people), str(statements), str(folder), str(share)]
    subprocess.run(command, check=True)


def measure_command(people: int, statements: int) -> tuple[float, float]:
    """CPU seconds and peak gigabytes of `solon collect analyse`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        exported(people, statements, SHARE, folder)
        return run_solon(folder, "analyse", name, "-o", str(folder / "out"))


def measure_report(people: int, statements: int, share: float) -> tuple[float, float]:
    """CPU seconds of `solon collect report`, the first time and again. The best of three."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        exported(people, statements, share, folder)
        page = ("report", name, "-o", str(folder / "page.html"), "--force")
        first, again = [], []
        for _ in range(3):
            shutil.rmtree(folder / "cache", ignore_errors=True)
            first.append(run_solon(folder, *page)[0])
            again.append(run_solon(folder, *page)[0])
    return min(first), min(again)


def show_reports() -> bool:
    """Print how long reports take; True if one takes longer than promised."""
    broken = False
    for people, statements, share, most_first, most_again in REPORTED:
        first, again = measure_report(people, statements, share)
        cast = f"{share:.0%} of votes"
        print(f"report {people:>8,} x {statements:>5,}, {cast}: {first:.1f} s, again {again:.1f} s of CPU", flush=True)
        broken |= first >= most_first or (most_again is not None and round(again, 1) > most_again)
    return broken


def main() -> int:
    """Every size in processes of its own."""
    if len(sys.argv) > 3:
        write_export(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
        return 0
    if len(sys.argv) == 3:
        print(json.dumps(vars(measure(int(sys.argv[1]), int(sys.argv[2])))))
        return 0
    broken = show_reports()
    print(f"{'':>46} {'analyse':>18} {'whole command':>18}")
    print(
        f"{'people':>8} {'statements':>10} {'votes':>10} {'groups':>6} {'camps':>8} {'CPU':>8} {'peak':>9} "
        f"{'CPU':>8} {'peak':>9}"
    )
    for people, statements in SIZES:
        command = [sys.executable, __file__, str(people), str(statements)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        one = Measured(**json.loads(done.stdout))
        seconds, peak_gb = measure_command(people, statements)
        print(
            f"{people:>8,} {statements:>10,} {one.votes:>10,} {one.groups:>6} {one.camps_found:>8.1%} "
            f"{one.seconds:>6.1f} s {one.peak_gb:>6.2f} GB {seconds:>6.1f} s {peak_gb:>6.2f} GB",
            flush=True,
        )
        broken |= seconds >= MAX_SECONDS or max(one.peak_gb, peak_gb) >= MAX_GB
    print(
        f"promises: reports as above, all else under {MAX_SECONDS:.0f} s and {MAX_GB:.0f} GB each: "
        f"{'broken' if broken else 'kept'}"
    )
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
