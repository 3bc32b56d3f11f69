"""What became of a conversation, for everybody, once an organiser has published it: from each principle back to the
statements it was made of, and forward to the models that were trained on it and to what people say of those.

Everything is worked out from the votes and statements as they are now, so that what people delete is gone here, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from solon.artifacts.finished import FinishedStage, kept_record
from solon.collective.opinion.results import Analysis
from solon.collective.principles.constitution import PublicConstitution
from solon.collective.principles.trace import PrincipleTrace, Trace
from solon.constitution.principles import Constitution
from solon.errors import InputError, UserError
from solon.pipeline.inputs import CONSTITUTION
from solon.pipeline.stages import STAGES
from solon.report.lineage.records import Link
from solon.report.public.language import mark
from solon.report.public.opinions import opinions_of
from solon.report.public.page import words_of
from solon.report.public.tally import StatementVotes, statement_votes
from solon.report.public.traced import TracedPrinciple, TracePart, trace_part
from solon.web.access import Access
from solon.web.collect.results import LOOKS, given_of, snapshot_of
from solon.web.db import arenas
from solon.web.db.people import participant_of
from solon.web.db.principles import is_published
from solon.web.db.statements import visible_numbers
from solon.web.db.tables import Conversation, State
from solon.web.kept import Kept
from solon.web.live import Snapshot
from solon.web.principles.desk import back, desk_of, require_desk, store
from solon.web.principles.overview import name_of
from solon.web.routing import action, page
from solon.web.runs import Run, Runs, stamp_of
from solon.web.troubles import Trouble
from solon.web.visit import Answer, Visit


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A run that has made a model, and how its constitution hangs together with the published one."""

    run: Run
    link: Link
    """`exact`: it is the same. `association`: some principles have the same id and title."""
    ids: frozenset[str]
    """Of the principles that are in both."""


@dataclass(frozen=True, kw_only=True)
class Became:
    """A principle, and what became of it."""

    principle: TracedPrinciple
    told: bool
    """May its words be shown? They quote statements, unless a person found others."""
    trained: tuple[Trained, ...]


def became(visit: Visit) -> Answer:
    if not is_published(visit.db, visit.talk):
        raise _nothing()
    snapshot = snapshot_of(visit)
    made, analysis = _made(visit, snapshot), snapshot.analysis
    if made is None or analysis is None:
        raise _nothing()
    shown, given = _shown(visit, analysis), given_of(visit, snapshot)
    trained, unread = _trained(visit.site.runs, made.constitution, visit.site.kept)
    opinions = opinions_of(analysis, shown)
    part = trace_part(made.constitution, made.trace, analysis, shown, visit.say)
    return visit.render(
        "became.html.j2",
        **{name: words for name, words in words_of(given).items() if name not in ("say", "many")},
        intro=part.intro,
        principles=_principles(part, made.trace, {one.id for one in shown}, trained),
        groups=[] if opinions.pooled else opinions.groups,
        file=f"{made.constitution.name}.toml",
        sha256=made.constitution.sha256,
        links={one.link for one in trained},
        unread=unread,
        arenas=_arenas(visit),
    )


def publish(visit: Visit) -> Answer:
    """Or take it back."""
    desk, wanted = require_desk(visit), visit.form["publish"] == "yes"
    if wanted and not desk.standing:
        raise Trouble(409, mark("There are no principles yet"), mark("Choose another rule first."))
    store(visit, replace(desk.draft, published=wanted), f"principles: {'publish' if wanted else 'take back'}")
    return back(visit)


def _nothing() -> Trouble:
    return Trouble(404, mark("Nothing is published yet"), mark("Those who run the conversation have not done so."))


def _made(visit: Visit, snapshot: Snapshot) -> PublicConstitution | None:
    """The constitution as its file would be now; None where nobody has voted, or the rule chooses nothing."""
    desk = desk_of(visit, snapshot)
    if desk is None:
        return None
    try:
        return snapshot.once(("constitution", desk.draft), lambda: desk.assembled(name_of(visit)))
    except InputError:
        return None


def _shown(visit: Visit, analysis: Analysis) -> tuple[StatementVotes, ...]:
    """Statements that the results show, without those that are gone since these were worked out."""
    now = visible_numbers(visit.db, visit.talk)
    return tuple(one for one in statement_votes(analysis) if one.id in now)


def _principles(part: TracePart, trace: Trace, shown: Collection[int], trained: Sequence[Trained]) -> list[Became]:
    """`shown`: the statements whose words may be."""
    return [
        Became(
            principle=one,
            told=_is_told(traced, shown),
            trained=tuple(run for run in trained if traced.id in run.ids),
        )
        for one, traced in zip(part.principles, trace.principles, strict=True)
    ]


def _is_told(traced: PrincipleTrace, shown: Collection[int]) -> bool:
    standing = [number in shown for number in traced.statements]
    return any(standing) if traced.worded_by == "person" else all(standing)


def _trained(runs: Runs, made: Constitution, kept: Kept) -> tuple[list[Trained], int]:
    """By name; and how many runs have a constitution that cannot be read. Ids alone do not tell one conversation from
    another, for they are numbers of statements; so the titles have to be the same."""
    found, unread, own, sha256 = [], 0, _titles(made), made.sha256
    for run in runs.all():
        try:
            theirs = _constitution(run, kept) if _has_trained(run.path) else None
        except (UserError, OSError):
            unread += 1
            continue
        if theirs and theirs.sha256 == sha256:
            found.append(Trained(run=run, link="exact", ids=frozenset(own)))
        elif theirs and (shared := own.items() & _titles(theirs).items()):
            found.append(Trained(run=run, link="association", ids=frozenset(id for id, _ in shared)))
    return found, unread


def _titles(constitution: Constitution) -> Mapping[str, str]:
    return {one.id: one.title for one in constitution.principles}


def _has_trained(run: Path) -> bool:
    return any(stage.trains and FinishedStage.exists(run, stage.folder) for stage in STAGES)


def _constitution(run: Run, kept: Kept) -> Constitution | None:
    path = run.path / CONSTITUTION
    return kept.once("constitutions", path, lambda: kept_record(path, Constitution), version=stamp_of([path]))


def _arenas(visit: Visit) -> list[Conversation]:
    """In which people of this conversation compared answers, as far as the visitor may see their results."""
    begun = arenas.begun_for(visit.db, visit.talk, State.OPEN, State.CLOSED)
    return [one for one in begun if visit.may_see_results_of(one, participant_of(visit.db, one, visit.browser.hash))]


PAGES = (
    page("/c/{slug}/became", became, Access.ANYONE, limit=LOOKS),
    action("/c/{slug}/principles/publish", publish, Access.ORGANISER, writes=False),
)
