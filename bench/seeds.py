"""What finished runs of the same configuration say together: one Markdown column per run.

solon run --seed 1 -o runs/seed-1 ...
python bench/seeds.py runs/seed-0 runs/seed-1 runs/seed-2
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from solon.evals.answers import KINDS, AnswerTable
from solon.evals.statistics import Difference, Rate
from solon.evals.summary import Summary, read_summary
from solon.records import PromptKind

RATES: tuple[tuple[PromptKind, str], ...] = (
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
MODELS = ("base", "sl", "rl")


def shown(rate: Rate | None) -> str:
    return "-" if rate is None else f"{rate.rate:.1%}"


def table(summary: Summary, model: str, kind: PromptKind) -> AnswerTable | None:
    tables = getattr(summary.models, model)
    return None if tables is None else tables.of(kind)


def rates(summary: Summary, kind: PromptKind, field: str) -> str:
    """base / SL / RL."""
    found = [table(summary, model, kind) for model in MODELS]
    return " / ".join("-" if one is None else shown(getattr(one, field)) for one in found)


def distinct(summary: Summary, kind: PromptKind) -> str:
    """RL's distinct answers as a share of the base's."""
    base, rl = table(summary, "base", kind), table(summary, "rl", kind)
    return "-" if base is None or rl is None else f"{rl.distinct.rate / base.distinct.rate:.1%}"


def difference(found: Difference | None) -> str:
    if found is None:
        return "-"
    return f"{100 * found.difference:+.1f} ({100 * found.low:.1f} to {100 * found.high:.1f})"


def claim(summary: Summary, name: str, pair: str) -> str:
    """A paired difference in percentage points, with its 95% interval."""
    differences = getattr(summary.differences, name)
    return "-" if differences is None else difference(getattr(differences, pair))


def measures() -> dict[str, Callable[[Summary], str]]:
    """Label -> what a run says of it."""
    out: dict[str, Callable[[Summary], str]] = {
        "seed": lambda summary: str(summary.seed),
        "seconds": lambda summary: f"{summary.pipeline_seconds:.0f}",
    }
    out |= {f"{kind} prompts: {field}": partial(rates, kind=kind, field=field) for kind, field in RATES}
    out |= {f"{kind} prompts: distinct, RL/base": partial(distinct, kind=kind) for kind in KINDS}
    for name in ("harmful_on_harmful_prompts", "helpful_on_benign_prompts"):
        for pair in ("base_minus_sl", "sl_minus_rl", "base_minus_rl"):
            out[f"{name}, {pair}, points".replace("_", " ")] = partial(claim, name=name, pair=pair)
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
