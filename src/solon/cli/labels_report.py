"""What `solon labels` prints."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from solon.cli.results import print_table
from solon.evals.agreement import Agreement
from solon.evals.bias import Bias
from solon.evals.conflicts import Principles
from solon.evals.labels import Labels
from solon.evals.origin import Origin
from solon.evals.sensitivity import NEAR, Sensitivity
from solon.evals.statistics import Mean, Rate
from solon.report.wording import interval, percent, signed
from solon.text import printable

MOST = 20
"""Conflicts that are printed."""
NONE = "\u2013"


def rate_text(rate: Rate | None) -> str:
    """Example: "84.0% (79.1 to 88.0)"."""
    return NONE if rate is None else f"{percent(rate.rate)} ({interval(rate)})"


def points_text(mean: Mean) -> str:
    """Example: "+1.2 points (\u22120.3 to 2.7)"."""
    return f"{signed(mean.mean, plus=True)} points ({signed(mean.low)} to {signed(mean.high)})"


def print_labels(labels: Labels) -> None:
    """How good labels are, a line for each figure that there is."""
    for line in _labels(labels):
        typer.echo(printable(line))


def print_origin(origin: Origin | None) -> None:
    """What was left out, and what else was counted, if the judge was asked."""
    for what, counts in (("left out", origin.dropped), ("counted", origin.noted)) if origin else ():
        if counts:
            told = ", ".join(f"{count} {name}" for name, count in counts.items())
            typer.echo(printable(f"{what}: {told}"))


def _labels(labels: Labels) -> Iterator[str]:
    reasons = "".join(f", {count} {reason}" for reason, count in labels.unscored_reasons.items())
    yield f"labels: {labels.n}, {labels.unscored} unscored{reasons}, {labels.undecided} at one half"
    if labels.accuracy is None:
        yield "right: unknown, for there is no ground truth"
    else:
        yield f"right: {rate_text(labels.accuracy)} of the {labels.decided} in which one answer is better"
    if labels.ece is not None and labels.brier is not None:
        yield f"calibration error: {labels.ece:.3f}; Brier score {labels.brier.mean:.3f} (0.25 knows nothing)"
    if (found := labels.reliability) is not None:
        one, best = found.plain.ece, found.scaled.ece
        yield f"calibration error, by prompts: {one.value:.3f} ({one.low:.3f} to {one.high:.3f})"
        at = f"at judge.temperature = {found.temperature.value:.2f} times what it is"
        yield f"calibration error {at}: {best.value:.3f} ({best.low:.3f} to {best.high:.3f}), fitted to other prompts"
        if found.at_limit:
            yield "that temperature is where the search ends, and no estimate: too few labels are wrong, or right"
    if labels.clamped:
        yield "labels are clamped (judge.clamp), so that no temperature can be told"
    if (position := labels.position) is not None:
        turned = f"; another answer in the other order: {rate_text(position.turned)}" if position.turned else ""
        yield f"favor for the answer shown first: {points_text(position.excess)}{turned}"
    yield from _biases({"the longer answer": labels.length, "the judge's own answer": labels.self_preference})


def _biases(biases: dict[str, Bias | None]) -> Iterator[str]:
    for mark, bias in biases.items():
        if bias is not None:
            yield f"favor for {mark}: {points_text(bias.excess)}, of {bias.n} pairs"


def print_agreement(found: Agreement) -> None:
    """How far labels agree with people."""
    left_out = f"{found.ties} ties, {found.unscored} unscored, {found.unknown} of other pairs"
    typer.echo(f"people: {found.n} of these pairs ({left_out})")
    if found.agreement is not None:
        kappa = "" if found.kappa is None else f", kappa {found.kappa:.2f}"
        typer.echo(f"agrees with people: {rate_text(found.agreement)}{kappa}; calibration error {found.ece:.3f}")


def print_principles(found: Principles) -> None:
    """Which principles agree with the others, and which two conflict most often."""
    agreement = ((name, rate_text(rate)) for name, rate in found.agreement.items())
    print_table(
        f"{found.pairs} pairs, each under every principle", ["principle"], ["agrees with the others"], agreement
    )
    most = [one for one in found.conflicts if one.conflicts][:MOST]
    rows = ((one.first, one.second, f"{one.decided}", rate_text(one.conflicts), f"{one.distance:.2f}") for one in most)
    print_table("Pairs on which both prefer an answer", ["principle", "and"], ["n", "not the same", "apart"], rows)
    print_origin(found.origin)


def print_sensitivity(found: Sensitivity) -> None:
    """One row for each constitution."""
    left_out = f" ({found.left_out} more not under each)" if found.left_out else ""
    told = f", in {found.decided} of which one answer is truly better" if found.decided is not None else ""
    rows = (
        (
            one.name,
            rate_text(one.accuracy),
            rate_text(one.p_right),
            NONE if one.confidence is None else percent(one.confidence, 0),
            NONE if one.moved is None else f"{one.moved.mean:.2f}",
            rate_text(one.turned),
        )
        for one in found.constitutions
    )
    print_table(
        f"{found.pairs} pairs{left_out}{told}", ["constitution"], ["right", "p right", "sure", "moved", "turned"], rows
    )
    typer.echo(
        "right: by the run's own constitution, however near one half a label is; p right: the mean probability of"
    )
    typer.echo("the better answer; moved: how far labels are from those under `given`; turned: pairs of which another")
    typer.echo("answer is preferred. A judge that reads moves; under `inverted` it is seldom right.")
    if near := [one.name for one in found.constitutions if one.at_chance]:
        typer.echo(f"at chance, p right within {NEAR:.2f} of one half: {', '.join(near)}")
    for one in found.constitutions:
        if one.unscored:
            typer.echo(f"{one.name}: {one.unscored} of {one.n} verdicts could not be read")
    print_origin(found.origin)
