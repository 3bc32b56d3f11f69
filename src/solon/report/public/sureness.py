"""How stable the groups are, in plain words."""

from __future__ import annotations

from dataclasses import dataclass

from solon.collective.opinion.stability import StabilityReport
from solon.collective.opinion.stability_trials import StabilityCheck
from solon.report.public.words import whole

VERDICTS = {
    "firm": "The groups are firm.",
    "fairly firm": "The groups are fairly firm.",
    "loose": "The groups are loose.",
}
_MEANINGS = {
    "firm": "Computed in other ways that are just as reasonable, they come out nearly the same.",
    "fairly firm": "Computed in other ways that are just as reasonable, their core stays and their edges move.",
    "loose": "Computed in other ways that are just as reasonable, many people would be in another group. What is said "
    "of a group holds for this grouping; do not build on where exactly the line runs.",
}
_CHANGES = {
    "seed": "another start of the calculation",
    "k": "{} groups asked for",
    "imputation": "votes not cast count as {}",
    "bootstrap": "other people drawn from the same",
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


def stability_part(report: StabilityReport) -> StabilityPart:
    """The report of `collective.opinion.stability`, row by row."""
    return StabilityPart(
        lead=VERDICTS[report.verdict],
        text=_MEANINGS[report.verdict],
        sentences=report.sentences,
        rows=tuple(_row(check) for check in report.checks),
    )


def _row(check: StabilityCheck) -> StabilityRow:
    what = _CHANGES[check.kind].format(_IMPUTED.get(check.setting, check.setting))
    same = f"{whole(check.kept_share)} of {check.people:,} people stay in their group"
    return StabilityRow(what=what, k=str(check.k), likeness=f"{check.likeness:.2f}".replace("-", "\u2212"), words=same)
