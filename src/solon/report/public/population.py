"""Who took part against who was meant to: tables that may be published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.collective.people.sample import Gap, Sample, published_gaps
from solon.report.public.words import listed, many, whole

CLOSE = 5.0
"""Percentage points within which a share counts as close to the population's in the summary (assumption)."""


@dataclass(frozen=True, kw_only=True)
class ShareTable:
    """One attribute: a row of text per category."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class PopulationPart:
    """What the template shows."""

    intro: tuple[str, ...]
    tables: tuple[ShareTable, ...]
    notes: tuple[str, ...]
    gist: str
    """One sentence for the opening."""


HEADER = ("Category", "Took part", "Share", "Population", "Difference, points")


def population_part(sample: Sample, *, voters: int) -> PopulationPart:
    """The sample against the population, small numbers withheld by the population's own threshold.

    `voters`: everybody who voted; those of them who are not in the sample were screened out.
    """
    gaps = published_gaps(sample)
    by_attribute: dict[str, list[Gap]] = {}
    for gap in gaps:
        by_attribute.setdefault(gap.attribute, []).append(gap)
    population = sample.population
    source = f" (source: {population.source})" if population.source else ""
    return PopulationPart(
        intro=(
            f"The organisers meant to reach: {population.title or 'the population below'}{source}. The tables compare "
            f"{many(len(sample), 'person', 'people')} who took part with it.{_outside(sample, voters)}",
        ),
        tables=tuple(
            ShareTable(title=attribute[:1].upper() + attribute[1:], header=HEADER, rows=tuple(_row(gap) for gap in own))
            for attribute, own in by_attribute.items()
        ),
        notes=tuple(_notes(sample, gaps)),
        gist=_gist(gaps),
    )


def _row(gap: Gap) -> tuple[str, ...]:
    share = "" if gap.population_share is None else whole(gap.population_share)
    if not gap.category:
        return "not known", "withheld" if gap.people is None else f"{gap.people:,}", "", "", ""
    if gap.people is None or gap.sample_share is None or gap.gap_points is None:
        return gap.category, "withheld" if gap.people is None else f"{gap.people:,}", "", share, ""
    points = f"{gap.gap_points:+.0f}".replace("-", "\u2212").replace("+0", "0").replace("\u22120", "0")
    return gap.category, f"{gap.people:,}", whole(gap.sample_share), share, points


def _notes(sample: Sample, gaps: Sequence[Gap]) -> list[str]:
    least = sample.population.suppress_below
    notes = [
        f"Numbers of fewer than {least} people are withheld, and others from which they could be worked out. "
        f"{_whose_shares(gaps)}"
    ]
    short = [f"{gap.attribute}: {gap.category}" for gap in gaps if gap.people is not None and gap.below_minimum]
    if short:
        notes.append(f"Fewer people than the organisers wanted took part of these: {'; '.join(short)}.")
    notes.append(
        "The shares of agreement in this report count every participant once; they are not weighted to the population."
    )
    return notes


def _outside(sample: Sample, voters: int) -> str:
    """What became of those who voted and do not belong to the population, as a sentence."""
    outside = voters - len(sample)
    if outside <= 0:
        return ""
    who = "A few others" if outside < sample.population.suppress_below else f"{outside:,} others"
    return f" {who} voted who do not belong to it. Their votes count in this report; they are not in these tables."


def _whose_shares(gaps: Sequence[Gap]) -> str:
    """What the shares are of: see `Gap.share_of`."""
    attributes = list(dict.fromkeys(gap.attribute for gap in gaps))
    hidden = [gap.attribute for gap in gaps if not gap.category and gap.people is None]
    if not hidden:
        return "Shares are of those of whom the category is known."
    why = (
        "because the number of those of whom the category is not known is withheld. They come out a little low for it."
    )
    if len(hidden) == len(attributes):
        return f"Shares are of everybody in the tables, {why}"
    return f"Shares are of those of whom the category is known; for {listed(hidden)}, of everybody, {why}"


def _gist(gaps: Sequence[Gap]) -> str:
    known = [gap for gap in gaps if gap.gap_points is not None and gap.population_share is not None]
    if not known:
        return "Numbers were too small to compare those who took part with the population."
    worst = max(known, key=lambda gap: (abs(gap.gap_points or 0.0), gap.attribute, gap.category))
    share, target = whole(worst.sample_share or 0.0), whole(worst.population_share or 0.0)
    place = f"{worst.category} ({worst.attribute}): {share} of those who took part, {target} of the population"
    if abs(worst.gap_points or 0.0) <= CLOSE:
        return f"those who took part resemble the population in what was measured (furthest apart: {place})."
    return f"those who took part differ from the population, most for {place}."
