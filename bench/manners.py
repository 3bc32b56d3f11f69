"""Where is the preference model of a run right: on which faults, and of which kind of prompt?

A run's own report has some twenty pairs a fault. Here are the answers of many finished world runs: of those to one
prompt, pairs that differ in one fault alone (rude, preachy, evasive, malformed), one pair a fault and prompt. Prints
the share of pairs in which the answer without the fault has the higher score, with 95% intervals over prompts.

    python bench/manners.py runs/a,runs/b RUN [RUN ...]

reads answers from runs/a and runs/b, and scores them with the preference model of each RUN.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from form import Pair, answers, by_preference, faults, prompts, shown
from rich.console import Console
from rich.table import Table

from solon.config.load import load_run_config
from solon.pipeline.actors import Actors
from solon.world.oracle import Judgement

FAULTS = ("rude", "preachy", "evasive", "malformed")
KINDS = ("harmful", "mixed", "benign")


def pairs(folder: Path) -> Iterator[Pair]:
    asked = prompts(folder)
    for name, found in answers(folder).items():
        met: set[str] = set()
        for (text, one), (other_text, other) in combinations(found.items(), 2):
            apart = _wrong(one) ^ _wrong(other)
            if len(apart) == 1 and apart <= {*FAULTS} - met:
                met |= apart
                (fault,) = apart
                worse, better = (text, other_text) if fault in _wrong(one) else (other_text, text)
                yield Pair(asked[name], worse, better, beside=fault, flaw=asked[name].kind)


def _wrong(judgement: Judgement) -> set[str]:
    return {name for name, has in faults(judgement).items() if has} | ({"malformed"} if judgement.malformed else set())


def main(read: str = "", *runs: str) -> None:
    if not runs:
        print(__doc__)
        return
    made = list(dict.fromkeys(pair for folder in read.split(",") for pair in pairs(Path(folder))))
    table = Table("run", "fault", "all", *KINDS)
    for run in map(Path, runs):
        actors = Actors(config=Actors(config=load_run_config(run / "run.toml")).settled)
        margins = by_preference(actors, run / "models/pm/model", made)
        for fault in FAULTS:
            table.add_row(str(run), fault, *(shown(made, margins, fault, kind) for kind in ("all", *KINDS)))
    Console(width=200).print(table)


if __name__ == "__main__":
    main(*sys.argv[1:])
