"""Who took part against who was meant to: tables that may be published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.collective.people.sample import Gap, Sample, published_gaps
from solon.report.public.language import Language

CLOSE = 5.0
"""Percentage points within which a share counts as close to the population's in the summary (assumption)."""


@dataclass(frozen=True, kw_only=True)
class PopulationPart:
    """What the template shows."""

    intro: tuple[str, ...]
    tables: tuple[tuple[str, list[tuple[str, ...]]], ...]
    """By attribute: its name, and a row of text per category."""
    notes: tuple[str, ...]
    gist: str
    """One sentence for the opening."""


def population_part(sample: Sample, say: Language, *, voters: int) -> PopulationPart:
    """The sample against the population, small numbers withheld by the population's own threshold.

    `voters`: everybody who voted; those of them who are not in the sample were screened out.
    """
    gaps = published_gaps(sample)
    by_attribute: dict[str, list[Gap]] = {}
    for gap in gaps:
        by_attribute.setdefault(gap.attribute, []).append(gap)
    return PopulationPart(
        intro=tuple(_intro(sample, voters, say)),
        tables=tuple(
            (attribute[:1].upper() + attribute[1:], [_row(gap, say) for gap in own])
            for attribute, own in by_attribute.items()
        ),
        notes=tuple(_notes(sample, gaps, say)),
        gist=_gist(gaps, say),
    )


def _intro(sample: Sample, voters: int, say: Language) -> list[str]:
    population = sample.population
    wanted = population.title or say("the population below")
    if population.source:
        wanted = say("%(population)s (source: %(source)s)", population=wanted, source=population.source)
    lines = [
        say("The organisers meant to reach: %(population)s.", population=wanted),
        say("The tables compare %(people)s who took part with it.", people=say.people(len(sample))),
    ]
    outside = voters - len(sample)
    if 0 < outside < population.suppress_below:
        lines.append(say("A few others voted who do not belong to it."))
    elif outside > 0:
        lines.append(
            say.many(
                "%(n)s other voted who does not belong to it.", "%(n)s others voted who do not belong to it.", outside
            )
        )
    if outside > 0:
        lines.append(say("Their votes count in this report; they are not in these tables."))
    return [say.prose(*lines)]


def _row(gap: Gap, say: Language) -> tuple[str, ...]:
    share = "" if gap.population_share is None else say.whole(gap.population_share)
    people = say("withheld") if gap.people is None else say.number(gap.people)
    if not gap.category:
        return say("not known"), people, "", "", ""
    if gap.people is None or gap.sample_share is None or gap.gap_points is None:
        return gap.category, people, "", share, ""
    return gap.category, people, say.whole(gap.sample_share), share, _points(gap.gap_points, say)


def _points(gap: float, say: Language) -> str:
    """Example: "+5", "\u22123", "0"."""
    sign = "" if round(gap) == 0 else "+" if gap > 0 else "\u2212"
    return sign + say.number(abs(round(gap)))


def _notes(sample: Sample, gaps: Sequence[Gap], say: Language) -> list[str]:
    least = say.number(sample.population.suppress_below)
    withheld = say(
        "Numbers of fewer than %(least)s people are withheld, and others from which they could be worked out.",
        least=least,
    )
    notes = [say.prose(withheld, _whose_shares(gaps, say))]
    short = [f"{gap.attribute}: {gap.category}" for gap in gaps if gap.people is not None and gap.below_minimum]
    if short:
        notes.append(
            say(
                "Fewer took part than the organisers wanted of these: %(categories)s.", categories=say("; ").join(short)
            )
        )
    notes.append(say("In this report every participant counts once; nothing is weighted to match the population."))
    return notes


def _whose_shares(gaps: Sequence[Gap], say: Language) -> str:
    """What the shares are of: see `Gap.share_of`."""
    attributes = list(dict.fromkeys(gap.attribute for gap in gaps))
    hidden = [gap.attribute for gap in gaps if not gap.category and gap.people is None]
    if not hidden:
        return say("Shares are of those of whom the category is known.")
    if len(hidden) == len(attributes):
        whose = say("Shares are of everybody in the tables.")
    else:
        attributes_told = say.listed(hidden)
        whose = say(
            "Shares are of those of whom the category is known, but for %(attributes)s of everybody.",
            attributes=attributes_told,
        )
    why = say("Of how many the category is not known is withheld there, and so the shares come out a little low.")
    return say.prose(whose, why)


def _gist(gaps: Sequence[Gap], say: Language) -> str:
    known = [gap for gap in gaps if gap.gap_points is not None and gap.population_share is not None]
    if not known:
        return say("Numbers were too small to compare those who took part with the population.")
    worst = max(known, key=lambda gap: (abs(gap.gap_points or 0.0), gap.attribute, gap.category))
    parts = {
        "category": f"{worst.category} ({worst.attribute})",
        "share": say.whole(worst.sample_share or 0.0),
        "target": say.whole(worst.population_share or 0.0),
    }
    if abs(worst.gap_points or 0.0) <= CLOSE:
        return say(
            "In what was measured, those who took part resemble the population. Furthest apart: %(category)s, "
            "%(share)s of those who took part and %(target)s of the population.",
            **parts,
        )
    return say(
        "Those who took part differ from the population. Most of all: %(category)s, %(share)s of those who took part "
        "and %(target)s of the population.",
        **parts,
    )
