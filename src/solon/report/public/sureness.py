"""How stable the groups are, in plain words."""

from __future__ import annotations

from dataclasses import dataclass

from solon.collective.opinion.stability import FAIR, FIRM, StabilityReport, in_words
from solon.collective.opinion.stability_trials import StabilityCheck
from solon.report.public.words import listed, whole

VERDICTS = {
    "firm": "The groups are firm.",
    "fairly firm": "The groups are fairly firm.",
    "loose": "The groups are loose.",
}
_CAUSES = {
    "seed": "the calculation starts elsewhere",
    "bootstrap": "chance brings another mix of the same people",
    "imputation": "missing votes count as something else",
}
_MEANINGS = {
    "firm": "they come out nearly the same.",
    "fairly firm": "their core stays and their edges move.",
    "loose": "many people would be in another group. What is said of a group holds for this grouping; do not build on "
    "where exactly the line runs.",
}
_CHANGES = {
    "seed": "another start of the calculation",
    "k": "{} groups asked for",
    "imputation": "votes not cast count as {}",
    "bootstrap": "another mix of the same people",
    "chance": "for comparison: groups dealt out by lot",
}
_IMPUTED = {"pass": "a pass", "mean": "the average vote"}


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

    @property
    def gist(self) -> str:
        """One sentence for the opening."""
        return f"{self.lead[0].lower()}{self.lead[1:]} {self.text}"


def stability_part(report: StabilityReport, *, sizes_shown: bool = True) -> StabilityPart:
    """The report of `opinion.stability`, row by row.

    Groups dealt out by lot are left out unless the sizes of groups are shown: how many people they leave in their group
    depends on nothing else.
    """
    checks = [check for check in report.checks if sizes_shown or check.kind != "chance"]
    sampled = report.participants < report.participants_total
    return StabilityPart(
        lead=VERDICTS[report.verdict],
        text=_meaning(report),
        sentences=in_words(
            checks,
            k=report.k,
            not_formed=report.not_formed,
            sampled=f"{report.participants:,} of {report.participants_total:,}" if sampled else "",
        ),
        rows=tuple(_row(check) for check in checks),
    )


def _meaning(report: StabilityReport) -> str:
    """The verdict in plain words, with what it is due to: groups may stand one change and not another."""
    least = {"firm": 0.0, "fairly firm": FIRM, "loose": FAIR}[report.verdict]
    causes = []
    for kind, cause in _CAUSES.items():
        found = [check.likeness for check in report.checks if check.kind == kind]
        if found and (not least or sum(found) / len(found) < least):
            causes.append(cause)
    return f"If {listed(causes or list(_CAUSES.values()), 'or')}, {_MEANINGS[report.verdict]}"


def _row(check: StabilityCheck) -> StabilityRow:
    what = _CHANGES[check.kind].format(_IMPUTED.get(check.setting, check.setting))
    same = f"{whole(check.kept_share)} of {check.people:,} people stay in their group"
    return StabilityRow(what=what, k=str(check.k), likeness=f"{check.likeness:z.2f}".replace("-", "\u2212"), words=same)
