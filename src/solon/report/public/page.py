"""The page: every part worked out from the input, placed by the templates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from solon import __version__
from solon.collective.opinion.consensus import MIN_GROUP_VOTES
from solon.collective.people.population import SUPPRESS_BELOW
from solon.collective.tables import write_file
from solon.report import standalone, wording
from solon.report.public import download, standing, words
from solon.report.public.bars import PATTERNS, vote_bar
from solon.report.public.inputs import PublicInput
from solon.report.public.map import OpinionMap, opinion_map
from solon.report.public.opinions import MANY_PASS, Group, Opinions, opinions_of, who_is_divided
from solon.report.public.people import Turnout, covered_in_words, paragraph, turnout_of
from solon.report.public.population import PopulationPart, population_part
from solon.report.public.removed import Fate, cleaned, fates, findings_told, left_out, moderation
from solon.report.public.short import Point, in_short
from solon.report.public.sureness import StabilityPart, stability_part
from solon.report.public.tally import StatementVotes, statement_votes, withheld_in_words
from solon.report.public.traced import TracePart, trace_part

UNTITLED = "What people said"
PACKAGE, SHARED = "solon.report.public", "solon.report"
SECTIONS = (
    ("people", "Who took part"),
    ("agree", "Agreement"),
    ("divides", "Division"),
    ("map", "Map"),
    ("removed", "Removed"),
    ("principles", "Principles"),
    ("sure", "How sure"),
    ("statements", "All statements"),
    ("method", "Method"),
)


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything the templates place. Text is raw here; the templates escape it."""

    title: str
    kicker: str
    question: tuple[str, ...]
    paragraph: str
    keys: tuple[tuple[str, str], ...]
    short: tuple[Point, ...]
    sections: tuple[tuple[str, str], ...]
    funnel: tuple[tuple[str, str, str], ...]
    effort: str
    population: PopulationPart | None
    opinions: Opinions
    groups_are: str
    shown: int
    withheld: str
    map: OpinionMap | None
    map_note: str
    fates: tuple[Fate, ...]
    moderation: str
    left_out: tuple[str, ...]
    cleaning: tuple[tuple[str, ...], ...]
    findings: tuple[tuple[str, str], ...]
    trace: TracePart | None
    stability: StabilityPart | None
    all: tuple[StatementVotes, ...]
    download: str
    download_size: str
    file: str
    method: tuple[str, ...]
    facts: list[tuple[str, str]]
    attribution: str
    glossary: tuple[tuple[str, str], ...] = standing.GLOSSARY
    limits: tuple[str, ...] = standing.LIMITS
    version: str = __version__
    enough: int = MIN_GROUP_VOTES
    small: int = SUPPRESS_BELOW
    many_pass: float = MANY_PASS

    @property
    def groups(self) -> tuple[Group, ...]:
        return self.opinions.groups

    @property
    def titled(self) -> bool:
        """Is the title in the organisers' words, and so in their language?"""
        return self.title != UNTITLED

    @property
    def one_group(self) -> bool:
        return len(self.opinions.groups) < 2


def render_public_report(given: PublicInput) -> str:
    """The whole page."""
    script = standalone.asset(PACKAGE, "public.js")
    style = standalone.asset(SHARED, "report.css") + standalone.asset(PACKAGE, "public.css")
    return (
        _environment()
        .get_template("public.html.j2")
        .render(
            page=page_of(given),
            page_language=given.words.language,
            patterns=PATTERNS,
            script=Markup(script),
            style=Markup(style),
            policy=standalone.policy(script, style),
        )
    )


def write_public_report(path: Path, given: PublicInput) -> None:
    """Writes the page, whole or not at all.

    Raises:
        InputError: if it cannot be written where it is to go.
    """
    write_file(path, render_public_report(given).encode("utf-8", errors="replace"))


def page_of(given: PublicInput) -> Page:
    """Works out every part."""
    analysis, talk = given.analysis, given.analysis.conversation
    votes = statement_votes(analysis)
    opinions, turnout = opinions_of(analysis, votes), turnout_of(analysis)
    population = population_part(given.sample, voters=turnout.voters) if given.sample else None
    title = given.words.title or " ".join(talk.topic.split()) or UNTITLED
    csv = download.statements_csv(votes, [group.letter for group in opinions.groups])
    drawn = opinion_map(analysis, votes)
    shown = all(group.size is not None for group in opinions.groups)
    stability = stability_part(given.stability, sizes_shown=shown) if given.stability else None
    trace = None
    if given.constitution and given.trace:
        trace = trace_part(given.constitution, given.trace, analysis, votes)
    return Page(
        title=title,
        kicker=" · ".join(
            ("Report on a public conversation", *([given.words.organiser] if given.words.organiser else []))
        ),
        question=_question(given),
        paragraph=paragraph(turnout, cleaned=bool(given.removed)),
        keys=_keys(turnout, opinions, len(votes)),
        short=in_short(
            opinions,
            given=standing.groups_given(analysis),
            covered=covered_in_words(turnout),
            population=population.gist if population else None,
            sure=stability.gist if stability else "",
        ),
        sections=tuple(one for one in SECTIONS if one[0] != "principles" or trace),
        funnel=_funnel(turnout),
        effort=_effort(turnout),
        population=population,
        opinions=opinions,
        groups_are=standing.what_groups_are(analysis),
        shown=len(votes),
        withheld=withheld_in_words(votes),
        map=drawn,
        map_note=_map_note(drawn, turnout),
        fates=fates(talk, votes),
        moderation=moderation(talk),
        left_out=left_out(turnout, given.removed),
        cleaning=cleaned(given.removed),
        findings=findings_told(given.findings),
        trace=trace,
        stability=stability,
        all=tuple(sorted(votes, key=lambda one: (not one.open, -one.consensus, one.id))),
        download=download.data_link(csv),
        download_size=f"{max(len(csv) // 1000, 1):,} kB",
        file=download.file_name(title),
        method=standing.how_computed(analysis),
        facts=standing.facts(analysis, seed=given.seed, version=__version__),
        attribution=given.words.attribution,
    )


def _question(given: PublicInput) -> tuple[str, ...]:
    """The question, by paragraphs; Markdown marks that exports carry are left as they are."""
    text = given.words.question or given.analysis.conversation.description
    return tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def _keys(turnout: Turnout, opinions: Opinions, shown: int) -> tuple[tuple[str, str], ...]:
    keys = [
        (f"{turnout.voters:,}", "people voted"),
        (f"{turnout.votes:,}", "votes"),
        (f"{shown:,}", "statements in this report"),
    ]
    if turnout.writers is not None:
        keys.insert(1, (f"{turnout.writers:,}", "people wrote statements"))
    if len(opinions.groups) > 1:
        keys.append((str(len(opinions.groups)), "opinion groups"))
    return tuple(keys)


def _funnel(turnout: Turnout) -> tuple[tuple[str, str, str], ...]:
    def row(name: str, count: int) -> tuple[str, str, str]:
        return name, f"{count:,}", words.whole(count / turnout.voters) if turnout.voters else "\u2013"

    rows = []
    if turnout.listed > turnout.voters:
        rows.append(("are in the data", f"{turnout.listed:,}", "\u2013"))
    rows.append(row("voted on at least one statement", turnout.voters))
    rows.append(
        row("voted often enough to be placed in a group" if turnout.placed else "are in a group", turnout.grouped)
    )
    if turnout.writers is not None:
        rows.append(row("wrote at least one statement", turnout.writers))
    return tuple(rows)


def _effort(turnout: Turnout) -> str:
    return (
        f"A quarter of those who voted did so on at most {words.many(turnout.quarter, 'statement')}, half of them on "
        f"{words.many(turnout.half, 'statement')} or more, and a quarter on {turnout.most:,} or more. Of "
        "several votes by one person on one statement only the latest is counted."
    )


def _map_note(drawn: OpinionMap | None, turnout: Turnout) -> str:
    if drawn is None:
        return ""
    said = [
        f"The map shows the {words.many(drawn.people, 'person', 'people')} who "
        f"{'voted often enough to be in a group' if turnout.placed else 'are in a group'}. "
        "Each striped shape holds two thirds of a group; groups may overlap.",
        f"A flat map cannot show everything: it holds {words.whole(drawn.variance)} of all differences in how people "
        "voted.",
        "The few who stand far outside are drawn at the edge.",
    ]
    return " ".join(said)


@cache
def _environment() -> jinja2.Environment:
    made = standalone.environment(PACKAGE, SHARED)
    made.globals.update(
        vote_bar=vote_bar,
        between=words.between,
        divided=who_is_divided,
        share=lambda value: "withheld" if value is None else words.whole(value),
    )
    made.filters.update(whole=words.whole, many=words.many, of_hundred=wording.of_hundred)
    return made
