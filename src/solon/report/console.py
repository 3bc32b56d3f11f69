"""The summary on the console, printed at the end of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from solon.evals.estimates import PairedDifference
from solon.evals.labels import Labels
from solon.evals.rollouts import RLStep
from solon.evals.statistics import Rate
from solon.evals.summary import Summary
from solon.report import wording
from solon.text import duration

_SHARES = "shares of the texts that a stage wrote; log-probability per token, in nats"


def print_summary(summary: Summary, console: Console) -> None:
    """Print the headlines, one table of rates and a few lines on what stands behind them."""
    console.print(Text("\n".join(wording.headlines(summary)), style="bold"))
    console.print()
    console.print(_answers(summary))
    if summary.texts:
        console.print(_texts(summary))
    for note in _notes(summary):
        console.print(Text(note, style="dim"))


def _answers(summary: Summary) -> Table:
    """One section per kind of prompt; a cell holds the rate and its 95% interval."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption="rates with 95% intervals", caption_justify="left")
    table.add_column("", no_wrap=True)
    for model in summary.models():
        table.add_column(wording.model_title(model), justify="right", no_wrap=True)
    for kind in wording.kinds_of(summary):
        table.add_row(Text(f"{wording.kind_title(kind)}, n = {wording.count(kind, summary)}", style="bold"))
        for measure in wording.measures_of(kind, summary):
            arrow = {"lower": " \u2193", "higher": " \u2191", "neither": ""}[measure.better]
            cells = map(_cell, wording.rates(kind, measure.name, summary).values())
            table.add_row(f"  {measure.title.lower()}{arrow}", *cells)
        table.add_section()
    return table


def _texts(summary: Summary) -> Table:
    """What is wrong with the texts of each stage, whatever they say."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=_SHARES, caption_justify="left")
    first, *others = wording.TEXT_COLUMNS
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    for row in wording.text_rows(summary):
        table.add_row(*row)
    return table


def _notes(summary: Summary) -> Iterator[str]:
    if summary.ungraded is not None:
        yield f"Not graded: {summary.ungraded}."
    for title, found in wording.held_out_differences(summary).items():
        yield f"{title}, paired: {'; '.join(map(_difference, found))}."
    if summary.labels is not None:
        yield _labels(summary.labels)
    if (model := summary.preference_model) is not None:
        faults = ", ".join(f"{name} {wording.percent(own.accuracy.rate, 0)}" for name, own in model.by_fault.items())
        if model.accuracy is not None:
            by_fault = f"; by fault: {faults}" if faults else ""
            yield f"Preference model: right in {_cell(model.accuracy)} of pairs that truly differ{by_fault}."
        elif model.label_accuracy is not None:
            yield f"Preference model: agrees with {_cell(model.label_accuracy)} of {model.label_n} held-out labels."
    if summary.rl is not None:
        yield _rl(summary.rl.steps)
    if summary.monitor is not None:
        yield f"Monitor: {'; '.join(wording.monitored(summary.monitor))}."
    yield f"Seed {summary.seed}, {duration(summary.pipeline_seconds)}."


def _labels(labels: Labels) -> str:
    counts = f"AI labels: {labels.n}, {labels.unscored} unscored"
    if labels.accuracy is None:
        return f"{counts}."
    right = f"{labels.ties} ties, right in {_cell(labels.accuracy)} of the rest"
    return f"{counts}, {right}, calibration error {labels.ece:.3f}."


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
    return f"{wording.percent(rate.rate)} ({100 * rate.low:.0f}\u2013{100 * rate.high:.0f})"


def _difference(found: PairedDifference) -> str:
    first, second = (wording.model_title(model).removesuffix("-CAI") for model in (found.first, found.second))
    return f"{first} \u2212 {second} {wording.points(found)}"
