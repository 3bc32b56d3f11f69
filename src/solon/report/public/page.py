"""The page: counts and drawings are worked out here; the templates place them and hold the words around them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from solon import __version__
from solon.collective.opinion.consensus import MIN_GROUP_VOTES
from solon.collective.people.population import SUPPRESS_BELOW
from solon.collective.tables import write_file
from solon.report import standalone
from solon.report.public import download
from solon.report.public.bars import PATTERNS, vote_bar
from solon.report.public.inputs import PublicInput
from solon.report.public.language import mark
from solon.report.public.map import opinion_map
from solon.report.public.markdown import rendered
from solon.report.public.opinions import (
    MANY_PASS,
    Opinions,
    groups_named,
    opinions_of,
    quote,
    range_in_words,
    who_is_divided,
)
from solon.report.public.people import turnout_of, when_in_words
from solon.report.public.population import population_part
from solon.report.public.removed import cleaned, fates, findings_told
from solon.report.public.sureness import StabilityPart, beside_other, stability_part
from solon.report.public.tally import statement_votes, withheld_in_words
from solon.report.public.thresholds import threshold_part
from solon.report.public.traced import trace_part

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
METHODS = ("polis", "ccai", "stored", "exported")
"""What says how groups came about; others were given in a table, which does not."""


def render_public_report(given: PublicInput) -> str:
    """The whole page."""
    script, style = _script_and_style()
    page = _environment().get_template("public.html.j2")
    return page.render(
        page_of(given),
        **words_of(given),
        patterns=PATTERNS,
        script=Markup(script),
        style=Markup(style),
        policy=report_policy(),
        version=__version__,
    )


def report_policy() -> str:
    """What the page may run and load, for whoever serves it."""
    return standalone.policy(*_script_and_style())


def _script_and_style() -> tuple[str, str]:
    style = standalone.style_sheet(standalone.asset(PACKAGE, "public.css"))
    return standalone.asset(PACKAGE, "public.js"), style


def words_of(given: PublicInput) -> dict[str, Any]:
    """What the templates say things with, in the page's language."""
    say, spoken = given.language, given.words.spoken
    return {
        "say": say,
        "many": say.many,
        "when": lambda span: when_in_words(span, say),
        "share": lambda value: say("withheld") if value is None else say.whole(value),
        "quote": lambda statement: quote(statement, say, spoken),
        "divided": lambda one: who_is_divided(one, say),
        "range_of": lambda one: range_in_words(one, say),
        "spoken": spoken,
    }


def write_public_report(path: Path, given: PublicInput) -> None:
    """Writes the page, whole or not at all.

    Raises InputError if it cannot be written where it is to go.
    """
    write_file(path, render_public_report(given).encode("utf-8", errors="replace"))


def page_of(given: PublicInput) -> dict[str, Any]:
    """Every part that the templates place, by name. Text is raw here; the templates escape it."""
    analysis, talk, say = given.analysis, given.analysis.conversation, given.language
    votes = statement_votes(analysis)
    opinions, turnout = opinions_of(analysis, votes), turnout_of(analysis)
    one_group = len(opinions.groups) < 2
    title = given.words.title or " ".join(talk.topic.split())
    csv = download.statements_csv(votes, [group.letter for group in opinions.groups])
    trace, silhouettes = given.trace, sorted(analysis.groups.silhouettes.items())
    return {
        "given": given,
        "analysis": analysis,
        "method": analysis.groups.method,
        "given_in_table": analysis.groups.method not in METHODS,
        "title": title or say("What people said"),
        "titled": bool(title),
        "kicker": " · ".join(filter(None, (say("Report on a public conversation"), given.words.organiser))),
        "question": rendered(given.words.question or talk.description),
        "sections": [(key, say(name)) for key, name in SECTIONS if key != "principles" or trace],
        "turnout": turnout,
        "population": population_part(given.sample, say, voters=turnout.voters) if given.sample else None,
        "opinions": opinions,
        "groups": opinions.groups,
        "named": groups_named(opinions.groups, say),
        "one_group": one_group,
        "of_all": one_group or opinions.pooled,
        "beside": beside_other(given.exported, say) if given.exported else "",
        "statements": votes,
        "withheld": withheld_in_words(votes, say),
        "map": opinion_map(analysis, votes, say),
        "variance": say.whole(float(analysis.projection.variance_2.sum())),
        "fates": fates(talk, votes),
        "cleaning": cleaned(given.removed, say),
        "findings": findings_told(given.findings),
        "trace": trace_part(given.constitution, trace, analysis, votes, say) if given.constitution and trace else None,
        "thresholds": threshold_part(trace.curve, trace.threshold_in_force, say) if trace and trace.curve else None,
        "stability": _stability(given, opinions),
        "all": sorted(votes, key=lambda one: (not one.open, -one.consensus, one.id)),
        "download": download.data_link(csv),
        "download_size": f"{say.number(max(len(csv) // 1000, 1))} kB",
        "file": download.file_name(title),
        "silhouettes": say("; ").join(f"{k}: {say.number(one, 3)}" for k, one in silhouettes),
        "enough": say.number(MIN_GROUP_VOTES),
        "small": say.number(SUPPRESS_BELOW),
        "many_pass": MANY_PASS,
    }


def _stability(given: PublicInput, opinions: Opinions) -> StabilityPart | None:
    if given.stability is None:
        return None
    shown = all(group.size is not None for group in opinions.groups)
    return stability_part(given.stability, given.language, sizes_shown=shown, other=given.exported)


@cache
def _environment() -> jinja2.Environment:
    made = standalone.environment(PACKAGE, SHARED)
    made.globals.update(vote_bar=vote_bar)
    return made
