"""The summary on the console: the answer, printed at the end of a run."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from rich import box
from rich.console import Console, ConsoleRenderable, Group
from rich.table import Table
from rich.text import Text

from solon.evals.estimates import PairedDifference
from solon.evals.rollouts import RLStep
from solon.evals.statistics import Rate
from solon.evals.summary import Summary
from solon.report.wording import (
    count,
    headlines,
    held_out_differences,
    kind_title,
    kinds_of,
    measures_of,
    model_title,
    percent,
    points,
    rates,
)
from solon.text import duration


def print_summary(summary: Summary, console: Console) -> None:
    """Print the headlines, one table of rates and a few lines on what stands behind them."""
    console.print(summary_view(summary))


def summary_view(summary: Summary) -> ConsoleRenderable:
    """What `print_summary` prints."""
    below = [Text(line, style="dim") for line in notes(summary)]
    return Group(Text("\n".join(headlines(summary)), style="bold"), Text(), answers_view(summary), *below)


def answers_view(summary: Summary) -> Table:
    """One section per kind of prompt; a cell holds the rate and its 95% interval."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption="rates with 95% intervals", caption_justify="left")
    table.add_column("", no_wrap=True)
    for model in summary.models():
        table.add_column(model_title(model), justify="right", no_wrap=True)
    for kind in kinds_of(summary):
        table.add_row(Text(f"{kind_title(kind)}, n = {count(kind, summary)}", style="bold"))
        for measure in measures_of(kind, summary):
            arrow = {"lower": " \u2193", "higher": " \u2191", "neither": ""}[measure.better]
            cells = map(_cell, rates(kind, measure.name, summary).values())
            table.add_row(f"  {measure.title.lower()}{arrow}", *cells)
        table.add_section()
    return table


def notes(summary: Summary) -> list[str]:
    """Paired differences, the judge, the preference model, RL and the time, each in a line if it was measured."""
    lines = [] if summary.ungraded is None else [f"Not graded: {summary.ungraded}."]
    for title, found in held_out_differences(summary).items():
        lines.append(f"{title}, paired: {'; '.join(map(_difference, found))}.")
    if (labels := summary.labels) is not None:
        said = f"AI labels: {labels.n}, {labels.unscored} unscored"
        if labels.accuracy is not None and labels.ece is not None:
            said += f", {labels.ties} ties, right in {_cell(labels.accuracy)} of the rest"
            said += f", calibration error {labels.ece:.3f}"
        lines.append(f"{said}.")
    if (model := summary.preference_model) is not None:
        faults = ", ".join(f"{name} {percent(own.accuracy.rate, 0)}" for name, own in model.by_fault.items())
        if model.accuracy is not None:
            by_fault = f"; by fault: {faults}" if faults else ""
            lines.append(f"Preference model: right in {_cell(model.accuracy)} of pairs that truly differ{by_fault}.")
        elif model.label_accuracy is not None:
            lines.append(
                f"Preference model: agrees with {_cell(model.label_accuracy)} of {model.label_n} held-out labels."
            )
    if summary.rl is not None:
        lines.append(_rl(summary.rl.steps))
    lines.append(f"Seed {summary.seed}, {duration(summary.pipeline_seconds)}.")
    return lines


def _rl(steps: Sequence[RLStep]) -> str:
    """By kind of request, because each step draws its prompts anew and kinds differ more than steps do."""
    tenth = max(1, len(steps) // 10)
    first, last = (_scores(some) for some in (steps[:tenth], steps[-tenth:]))
    scores = ", ".join(f"{kind} {first[kind]:.2f} to {last[kind]:.2f}" for kind in first if kind in last)
    risen = f"; preference score from the first tenth of them to the last: {scores}" if scores else ""
    return f"RL: {len(steps)} steps, KL {steps[-1].kl.mean:.1f} nats at the end{risen}."


def _scores(steps: Sequence[RLStep]) -> dict[str, float]:
    kinds = sorted({kind for step in steps for kind in step.score_by_kind})
    return {kind: fmean(step.score_by_kind[kind] for step in steps if kind in step.score_by_kind) for kind in kinds}


def _cell(rate: Rate | None) -> str:
    if rate is None:
        return "\u2013"
    return f"{percent(rate.rate)} ({100 * rate.low:.0f}\u2013{100 * rate.high:.0f})"


def _difference(found: PairedDifference) -> str:
    first, second = (model_title(model).removesuffix("-CAI") for model in (found.first, found.second))
    return f"{first} \u2212 {second} {points(found)}"
