"""How stable the groups are, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from solon.collective.opinion.given_groups import Beside
from solon.collective.opinion.stability import FAIR, FIRM, StabilityReport
from solon.collective.opinion.trials import StabilityCheck
from solon.report.public.language import Language, mark

VERDICTS = {
    "firm": mark("The groups are firm."),
    "fairly firm": mark("The groups are fairly firm."),
    "loose": mark("The groups are loose."),
    "unknown": mark("How firm the groups are cannot be said."),
}
_MEANINGS = {
    "firm": mark("They come out nearly the same if %(changes)s."),
    "fairly firm": mark("Their core stays and their edges move if %(changes)s."),
    "unknown": mark("Too few people are in them, or groups dealt out by lot would look as firm."),
    "loose": mark(
        "Many people would be in another group if %(changes)s. What is said of groups holds for this grouping, and so "
        "does the number of statements that each agrees with; do not build on where exactly the line runs."
    ),
}
_CAUSES = {
    "seed": mark("the calculation starts elsewhere"),
    "bootstrap": mark("some people are left out by lot and others counted more than once"),
    "imputation": mark("missing votes count as something else"),
}
_KEPT = {
    "seed": mark("If the calculation starts elsewhere, %(kept)s of people stay in their group."),
    "bootstrap": mark(
        "If some people are left out by lot and others counted more than once, %(kept)s of people stay in their group."
    ),
    "imputation": mark("If missing votes are counted in another way, %(kept)s of people stay in their group."),
    "chance": mark("For comparison: if groups were dealt out by lot, %(kept)s would seem to stay in theirs."),
}
_CHANGES = {
    "seed": mark("another start of the calculation"),
    "k": mark("%(setting)s groups asked for"),
    "bootstrap": mark("some people left out by lot, others counted more than once"),
    "chance": mark("for comparison: groups dealt out by lot"),
}
_IMPUTED = {
    "pass": mark("votes not cast count as a pass"),
    "mean": mark("votes not cast count as the average vote"),
}


@dataclass(frozen=True, kw_only=True)
class StabilityRow:
    """One regrouping."""

    what: str
    k: str
    likeness: str
    words: str


@dataclass(frozen=True, kw_only=True)
class StabilityPart:
    """What the template shows."""

    lead: str
    text: str
    sentences: tuple[str, ...]
    rows: tuple[StabilityRow, ...]


def stability_part(
    report: StabilityReport, say: Language, *, sizes_shown: bool = True, other: Beside | None = None
) -> StabilityPart:
    """The report of `opinion.stability`, row by row.

    Groups dealt out by lot are left out unless the sizes of groups are shown: how many people they leave in their group
    depends on nothing else.
    """
    checks = [check for check in report.checks if sizes_shown or check.kind != "chance"]
    return StabilityPart(
        lead=say(VERDICTS[report.verdict]),
        text=_meaning(report, say),
        sentences=tuple(_sentences(report, checks, say, other)),
        rows=tuple(_row(check, say) for check in checks),
    )


def number_of_groups(report: StabilityReport, say: Language) -> str:
    """How many of the tries that were free to choose chose this number of groups; empty: none was free."""
    chosen = dict(sorted(report.chosen.items()))
    if not chosen:
        return ""
    told = [say("%(k)s groups (%(tries)s)", k=say.number(k), tries=say.number(n)) for k, n in chosen.items()]
    return say.many(
        "Of %(n)s try that was free to choose the number of groups, %(same)s chose %(k)s, the number in this report. "
        "All choices: %(chosen)s.",
        "Of %(n)s tries that were free to choose the number of groups, %(same)s chose %(k)s, the number in this "
        "report. All choices: %(chosen)s.",
        sum(chosen.values()),
        k=say.number(report.k),
        same=say.number(chosen.get(report.k, 0)),
        chosen=say.listed(told),
    )


def beside_other(other: Beside, say: Language) -> str:
    """The grouping of the export beside this one."""
    return say.many(
        "The export names %(n)s group of its own; of the %(people)s in both, %(share)s are together in both.",
        "The export names %(n)s groups of its own; of the %(people)s in both, %(share)s are together in both.",
        other.k,
        people=say.people(other.people),
        share=say.whole(other.kept_share),
    )


def _meaning(report: StabilityReport, say: Language) -> str:
    """The verdict in plain words, with what it is due to: groups may stand one change and not another."""
    if report.verdict == "unknown":
        return say(_MEANINGS[report.verdict])
    least = {"firm": 0.0, "fairly firm": FIRM, "loose": FAIR}[report.verdict]
    causes = []
    for kind, cause in _CAUSES.items():
        found = [check.likeness for check in report.checks if check.kind == kind]
        if found and (not least or fmean(found) < least):
            causes.append(cause)
    told = say.listed([say(cause) for cause in causes or _CAUSES.values()], choice=True)
    return say(_MEANINGS[report.verdict], changes=told)


def _sentences(
    report: StabilityReport, checks: Sequence[StabilityCheck], say: Language, other: Beside | None
) -> list[str]:
    said = []
    if report.k == 1:
        said.append(say("There is one group only, in which everybody stays whatever is changed."))
    if report.participants < report.participants_total:
        said.append(
            say(
                "To save time, all of this was measured on %(some)s of %(all)s people, drawn by lot.",
                some=say.number(report.participants),
                all=say.number(report.participants_total),
            )
        )
    if tries := number_of_groups(report, say):
        said.append(tries)
    if other:
        said.append(beside_other(other, say))
    for kind, sentence in _KEPT.items():
        if found := [one for one in checks if one.kind == kind]:
            said.append(say(sentence, kept=_kept(found, say)))
    moved = [one for one in checks if one.kind in ("seed", "bootstrap") and one.change_max is not None]
    if moved:
        said.append(
            say(
                "In these tries, a group’s agreement with a statement moves by %(mean)s percentage points on average, "
                "and by at most %(most)s.",
                mean=say.number(100 * fmean(one.change_mean or 0.0 for one in moved), 1),
                most=say.number(100 * max(one.change_max or 0.0 for one in moved)),
            )
        )
    if report.not_formed:
        said.append(
            say.many(
                "%(n)s try could not be made, for too few people or positions were left.",
                "%(n)s tries could not be made, for too few people or positions were left.",
                report.not_formed,
            )
        )
    return said


def _kept(checks: Sequence[StabilityCheck], say: Language) -> str:
    shares = [one.kept_share for one in checks]
    mean, worst = say.whole(fmean(shares)), say.whole(min(shares))
    return mean if mean == worst else say("%(mean)s (at worst %(worst)s)", mean=mean, worst=worst)


def _row(check: StabilityCheck, say: Language) -> StabilityRow:
    what = _CHANGES[check.kind] if check.kind != "imputation" else _IMPUTED.get(check.setting, check.setting)
    same = say(
        "%(share)s of %(people)s stay in their group",
        share=say.whole(check.kept_share),
        people=say.people(check.people),
    )
    return StabilityRow(
        what=say(what, setting=check.setting),
        k=say.number(check.k),
        likeness=say.number(check.likeness, 2).replace("-", "\u2212"),
        words=same,
    )
