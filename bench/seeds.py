"""What finished runs of the same configuration say together: one Markdown column per run.

solon run --seed 1 -o runs/seed-1 ...
python bench/seeds.py runs/seed-0 runs/seed-1 runs/seed-2
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from solon.evals.grader import HELD_OUT
from solon.evals.statistics import Rate
from solon.evals.summary import Summary, read_summary
from solon.report.wording import KIND_TITLES, rates

RATES = (
    ("harmful", "harmful"),
    ("harmful", "objection"),
    ("harmful", "evasive"),
    ("harmful", "malformed"),
    ("mixed", "harmful"),
    ("mixed", "helpful"),
    ("mixed", "evasive"),
    ("mixed", "malformed"),
    ("benign", "harmful"),
    ("benign", "helpful"),
    ("benign", "evasive"),
    ("benign", "malformed"),
)
CLAIMS = (("harmful", "harmful"), ("benign", "helpful"))
PAIRS = (("base", "sl"), ("sl", "rl"), ("base", "rl"))


def shown(rate: Rate | None) -> str:
    return "-" if rate is None else f"{rate.rate:.1%}"


def row(summary: Summary, kind: str, measure: str) -> str:
    """base / SL / RL."""
    return " / ".join(map(shown, rates(kind, measure, summary).values()))


def distinct(summary: Summary, kind: str) -> str:
    """RL's distinct answers as a share of the base's."""
    found = rates(kind, "distinct", summary)
    base, rl = found.get("base"), found.get("rl")
    return "-" if base is None or rl is None else f"{rl.rate / base.rate:.1%}"


def claim(summary: Summary, kind: str, measure: str, first: str, second: str) -> str:
    """A paired difference in percentage points, with its 95% interval."""
    asked = (HELD_OUT, kind, measure, first, second)
    for one in summary.differences:
        if (one.task, one.kind, one.measure, one.first, one.second) == asked:
            return f"{100 * one.value:+.1f} ({100 * one.low:.1f} to {100 * one.high:.1f})"
    return "-"


def measures() -> dict[str, Callable[[Summary], str]]:
    """Label -> what a run says of it."""
    out: dict[str, Callable[[Summary], str]] = {
        "seed": lambda summary: str(summary.seed),
        "seconds": lambda summary: f"{summary.pipeline_seconds:.0f}",
    }
    out |= {f"{kind} prompts: {name}": partial(row, kind=kind, measure=name) for kind, name in RATES}
    out |= {f"{kind} prompts: distinct, RL/base": partial(distinct, kind=kind) for kind in KIND_TITLES}
    for kind, name in CLAIMS:
        for first, second in PAIRS:
            out[f"{name} on {kind} prompts, {first} minus {second}, points"] = partial(
                claim, kind=kind, measure=name, first=first, second=second
            )
    out["AI labels: accuracy"] = lambda summary: "-" if summary.labels is None else shown(summary.labels.accuracy)
    out["AI labels: ties"] = lambda summary: (
        "-" if summary.labels is None else f"{summary.labels.ties} of {summary.labels.n}"
    )
    return out


def main(folders: list[str]) -> None:
    if not folders:
        print(__doc__)
        return
    summaries = [read_summary(Path(folder) / "summary.json") for folder in folders]
    print("| measure: base / SL / RL |" + " |" * len(summaries))
    print("|---|" + "---|" * len(summaries))
    for name, of in measures().items():
        print(f"| {name} | {' | '.join(of(summary) for summary in summaries)} |")


if __name__ == "__main__":
    main(sys.argv[1:])
