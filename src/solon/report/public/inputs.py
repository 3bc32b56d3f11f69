"""What a public report is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from solon.collective.opinion.given_groups import Beside
from solon.collective.opinion.results import Analysis
from solon.collective.opinion.stability import StabilityReport
from solon.collective.reading.findings import Finding
from solon.report.public.language import ENGLISH, Language

if TYPE_CHECKING:
    from solon.collective.people.sample import Sample
    from solon.collective.principles.trace import Trace
    from solon.constitution.principles import Constitution


@dataclass(frozen=True, kw_only=True)
class Words:
    """What the organisers may say in their own words; all of it optional."""

    title: str = ""
    """Empty: the conversation's topic."""
    question: str = ""
    """Empty: the conversation's description."""
    organiser: str = ""
    attribution: str = ""
    """Whose data it is and under which licence."""
    spoken: str = ""
    """The language of the statements and of these words, as a BCP 47 tag such as `de`; empty: not said."""


@dataclass(frozen=True, kw_only=True)
class Removed:
    """How many participants or statements one rule of cleaning removed."""

    rule: str
    reason: str
    kind: str
    """`participant` or `statement`."""
    count: int


@dataclass(frozen=True, kw_only=True)
class PublicInput:
    """One conversation, analysed, and what else is known about it. None and empty: not known, and said to be so."""

    analysis: Analysis
    words: Words = Words()
    seed: int = 0
    sample: Sample | None = None
    findings: tuple[Finding, ...] = ()
    stability: StabilityReport | None = None
    removed: tuple[Removed, ...] = ()
    constitution: Constitution | None = None
    trace: Trace | None = None
    """Of the constitution; both or neither."""
    language: Language = ENGLISH
    """Of the page."""
    exported: Beside | None = None
    """The grouping that the data brings, where the page shows another one."""
