"""How long the analysis of a conversation takes, and how much memory, from a hundred people to ten thousand.

Simulated votes: three camps with opinions of their own, 5% of all pairs of person and statement voted on. Measured is
`analyse`: axes, places, base clusters, groups for every number tried, silhouettes, representativeness, majorities,
polarisation and priorities. Reading an export, stability and the report are not part of it. Each size runs in a process
of its own, whose peak memory includes Python and the votes.

Promise: 10,000 people by 2,000 statements in under 60 s and 4 GB. Exits with 1 where it is broken.
Run: `python bench/public_sizes.py`, or with `PEOPLE STATEMENTS` for one size.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np

from solon.collective.analysis import analyse
from solon.collective.conversation import Conversation, Participant, Statement

SIZES = ((100, 50), (1_000, 200), (10_000, 200), (2_000, 2_000), (10_000, 1_000), (10_000, 2_000))
SHARE = 0.05
MAX_SECONDS, MAX_GB = 60.0, 4.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One size."""

    seconds: float
    """Of wall clock."""
    cpu_seconds: float
    """Of all cores together."""
    peak_gb: float
    votes: int
    groups: int
    camps_found: float
    """Share of people whose group is their camp's commonest."""


def simulate(people: int, statements: int) -> tuple[Conversation, np.ndarray]:
    """Votes, and the camp of each person."""
    draws = np.random.default_rng(0)
    camp_P = draws.choice(3, size=people, p=[0.5, 0.3, 0.2])
    agree_CS = draws.beta(0.6, 0.4, size=(3, statements))
    seen_PS = draws.random((people, statements), dtype=np.float32) < SHARE
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
    started, cpu = time.perf_counter(), time.process_time()
    found = analyse(conversation)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    camps = camp_P[found.groups.participant_ids]
    right = sum(np.bincount(camps[found.groups.labels_G == group]).max() for group in range(found.groups.k))
    return Measured(
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        peak_gb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,  # kilobytes on Linux
        votes=int(conversation.seen_PS.sum()),
        groups=found.groups.k,
        camps_found=float(right / len(camps)),
    )


def main() -> int:
    """Every size in a process of its own."""
    if len(sys.argv) == 3:
        print(json.dumps(vars(measure(int(sys.argv[1]), int(sys.argv[2])))))
        return 0
    print(
        f"{'people':>8} {'statements':>10} {'votes':>10} {'groups':>6} {'camps':>6} {'wall':>8} {'CPU':>8} {'peak':>8}"
    )
    broken = False
    for people, statements in SIZES:
        command = [sys.executable, __file__, str(people), str(statements)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        one = Measured(**json.loads(done.stdout))
        print(
            f"{people:>8,} {statements:>10,} {one.votes:>10,} {one.groups:>6} {one.camps_found:>6.1%} "
            f"{one.seconds:>6.1f} s {one.cpu_seconds:>6.1f} s {one.peak_gb:>5.2f} GB",
            flush=True,
        )
        broken |= one.seconds >= MAX_SECONDS or one.peak_gb >= MAX_GB
    print(f"promise: under {MAX_SECONDS:.0f} s and {MAX_GB:.0f} GB each: {'broken' if broken else 'kept'}")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
