"""The page: every part worked out from the input, placed by the templates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from solon import __version__
from solon.collective.opinion.consensus import MIN_GROUP_VOTES
from solon.collective.people.population import SUPPRESS_BELOW
from solon.collective.tables import write_file
from solon.report import standalone
from solon.report.public import download, standing
from solon.report.public.bars import PATTERNS, vote_bar
from solon.report.public.inputs import PublicInput
from solon.report.public.language import Language, mark
from solon.report.public.map import OpinionMap, opinion_map
from solon.report.public.markdown import rendered
from solon.report.public.opinions import MANY_PASS, Group, Opinions, opinions_of, quote, who_is_divided
from solon.report.public.people import Turnout, covered_in_words, effort, funnel, paragraph, turnout_of
from solon.report.public.population import PopulationPart, population_part
from solon.report.public.removed import Fate, cleaned, fates, findings_told, left_out, moderation
from solon.report.public.short import Point, in_short
from solon.report.public.sureness import StabilityPart, beside_other, stability_part
from solon.report.public.tally import StatementVotes, statement_votes, withheld_in_words
from solon.report.public.thresholds import ThresholdPart, threshold_part
from solon.report.public.traced import TracePart, trace_part

if TYPE_CHECKING:
    from solon.collective.principles.trace import Trace

PACKAGE, SHARED = "solon.report.public", "solon.report"
SECTIONS = (
    ("people", mark("Who took part")),
    ("agree", mark("Agreement")),
    ("divides", mark("Division")),
    ("map", mark("Map")),
    ("removed", mark("Removed")),
    ("principles", mark("Principles")),
    ("sure", mark("How sure")),
    ("statements", mark("All statements")),
    ("method", mark("Method")),
)


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything the templates place. Text is raw here; the templates escape it."""

    title: str
    titled: bool
    """Is the title in the organisers' words, and so in their language?"""
    kicker: str
    question: Markup
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
    thresholds: ThresholdPart | None
    stability: StabilityPart | None
    all: tuple[StatementVotes, ...]
    download: str
    download_size: str
    file: str
    method: tuple[str, ...]
    facts: list[tuple[str, str]]
    attribution: str
    version: str = __version__
    enough: int = MIN_GROUP_VOTES
    small: int = SUPPRESS_BELOW
    many_pass: float = MANY_PASS

    @property
    def groups(self) -> tuple[Group, ...]:
        return self.opinions.groups

    @property
    def one_group(self) -> bool:
        return len(self.opinions.groups) < 2


def render_public_report(given: PublicInput) -> str:
    """The whole page."""
    say, spoken = given.language, given.words.spoken
    script = standalone.asset(PACKAGE, "public.js")
    style = standalone.asset(SHARED, "report.css") + standalone.asset(PACKAGE, "public.css")
    return (
        _environment()
        .get_template("public.html.j2")
        .render(
            page=page_of(given),
            say=say,
            many=say.many,
            share=lambda value: say("withheld") if value is None else say.whole(value),
            quote=lambda statement: quote(statement, say, spoken),
            divided=lambda one: who_is_divided(one, say),
            spoken=spoken,
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
    analysis, talk, say = given.analysis, given.analysis.conversation, given.language
    votes = statement_votes(analysis)
    opinions, turnout = opinions_of(analysis, votes), turnout_of(analysis)
    population = population_part(given.sample, say, voters=turnout.voters) if given.sample else None
    title = given.words.title or " ".join(talk.topic.split())
    csv = download.statements_csv(votes, [group.letter for group in opinions.groups])
    drawn = opinion_map(analysis, votes, say)
    stability = _stability(given, opinions)
    trace = None
    if given.constitution and given.trace:
        trace = trace_part(given.constitution, given.trace, analysis, votes, say)
    return Page(
        title=title or say("What people said"),
        titled=bool(title),
        kicker=" · ".join(filter(None, (say("Report on a public conversation"), given.words.organiser))),
        question=rendered(given.words.question or talk.description),
        paragraph=paragraph(turnout, say, cleaned=bool(given.removed)),
        keys=_keys(turnout, opinions, len(votes), say),
        short=in_short(
            opinions,
            say,
            given=standing.groups_given(analysis),
            covered=covered_in_words(turnout, say),
            population=population.gist if population else None,
            sure=stability.gist if stability else "",
            spoken=given.words.spoken,
        ),
        sections=tuple((key, say(name)) for key, name in SECTIONS if key != "principles" or trace),
        funnel=funnel(turnout, say),
        effort=effort(turnout, say),
        population=population,
        opinions=opinions,
        groups_are=_groups_are(given),
        shown=len(votes),
        withheld=withheld_in_words(votes, say),
        map=drawn,
        map_note=_map_note(drawn, turnout, say),
        fates=fates(talk, votes, say),
        moderation=moderation(talk, say),
        left_out=left_out(turnout, given.removed, say),
        cleaning=cleaned(given.removed, say),
        findings=findings_told(given.findings),
        trace=trace,
        thresholds=_thresholds(given.trace, say),
        stability=stability,
        all=tuple(sorted(votes, key=lambda one: (not one.open, -one.consensus, one.id))),
        download=download.data_link(csv),
        download_size=f"{say.number(max(len(csv) // 1000, 1))} kB",
        file=download.file_name(title),
        method=standing.how_computed(analysis, say, pooled=opinions.pooled),
        facts=standing.facts(analysis, say, seed=given.seed, version=__version__),
        attribution=given.words.attribution,
    )


def _stability(given: PublicInput, opinions: Opinions) -> StabilityPart | None:
    if given.stability is None:
        return None
    shown = all(group.size is not None for group in opinions.groups)
    return stability_part(given.stability, given.language, sizes_shown=shown, other=given.exported)


def _thresholds(trace: Trace | None, say: Language) -> ThresholdPart | None:
    return threshold_part(trace.curve, trace.threshold_in_force, say) if trace and trace.curve else None


def _groups_are(given: PublicInput) -> str:
    """What groups are, and which others the data names."""
    what = standing.what_groups_are(given.analysis, given.language)
    return given.language.prose(what, beside_other(given.exported, given.language)) if given.exported else what


def _keys(turnout: Turnout, opinions: Opinions, shown: int, say: Language) -> tuple[tuple[str, str], ...]:
    keys = [
        (turnout.voters, say("people voted")),
        (turnout.votes, say("votes")),
        (shown, say("statements in this report")),
    ]
    if turnout.writers is not None:
        keys.insert(1, (turnout.writers, say("people wrote statements")))
    if len(opinions.groups) > 1:
        keys.append((len(opinions.groups), say("opinion groups")))
    return tuple((say.number(count), name) for count, name in keys)


def _map_note(drawn: OpinionMap | None, turnout: Turnout, say: Language) -> str:
    if drawn is None:
        return ""
    people = say.people(drawn.people)
    if turnout.placed:
        who = say("The map shows the %(people)s who voted often enough to be in a group.", people=people)
    else:
        who = say("The map shows the %(people)s who are in a group.", people=people)
    said = (
        who,
        say("Each striped shape holds two thirds of a group; groups may overlap."),
        say(
            "A flat map cannot show everything: it holds %(share)s of all differences in how people voted.",
            share=say.whole(drawn.variance),
        ),
        say("The few who stand far outside are drawn at the edge."),
    )
    return say.prose(*said)


@cache
def _environment() -> jinja2.Environment:
    made = standalone.environment(PACKAGE, SHARED)
    made.globals.update(vote_bar=vote_bar)
    return made
