"""The votes as they are now, and what was decided on the way to principles; the same for every page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from solon.collective.conversation import Conversation
from solon.collective.opinion.results import Groups
from solon.collective.principles.constitution import Candidates, PublicConstitution, assemble, candidates_of
from solon.collective.principles.deciding import checked, cited, without
from solon.collective.principles.merges import Citation, Idea, MergeFile
from solon.collective.principles.selection import Reason, Rule
from solon.collective.principles.trace import Figures
from solon.errors import InputError
from solon.report.public.language import letter, mark
from solon.web.db import audit
from solon.web.db.principles import Draft, draft_of, keep
from solon.web.live import Snapshot
from solon.web.troubles import Trouble, not_found
from solon.web.visit import Answer, Visit


@dataclass(frozen=True, kw_only=True)
class Row:
    """An idea and how it stands."""

    idea: Idea
    figures: Figures
    value: float
    """By the measure of the rule."""
    votes: int
    place: int | None
    """Among the principles, from 1; None: it is none."""
    rejected: bool
    reason: Reason | None
    """Why it is none."""


@dataclass
class Desk:
    """One conversation's, at one moment."""

    talk: Conversation
    groups: Groups
    draft: Draft

    @property
    def rule(self) -> Rule:
        return self.draft.asked.rule(self.groups)

    @cached_property
    def candidates(self) -> Candidates:
        """Without the intervals that only the files have: they take most of the time. Groups are called as on pages."""
        groups = replace(self.groups, names=tuple(map(letter, range(self.groups.k))))
        return candidates_of(self.talk, groups, self.rule, self.draft.merges, draws=0)

    @cached_property
    def texts(self) -> dict[int, str]:
        """The words of the public, by statement."""
        return {one.id: one.text for one in self.talk.statements}

    @cached_property
    def rows(self) -> list[Row]:
        """All ideas, by the number of their statement."""
        found, chosen = self.candidates, self.candidates.chosen
        place = {at: nth for nth, at in enumerate(found.in_order, start=1)}
        return [
            Row(
                idea=idea,
                figures=Figures.of(chosen.consensus, at),
                value=float(chosen.value_I[at]),
                votes=int(chosen.consensus.counts.seen[:, at].sum()),
                place=place.get(at),
                rejected=bool(chosen.rejected_I[at]),
                reason=chosen.reasons.get(at),
            )
            for at, idea in enumerate(found.ideas.ideas)
        ]

    @property
    def standing(self) -> list[int]:
        """Ids of the chosen ideas, in the order of their principles."""
        return [self.candidates.ideas.ideas[at].id for at in self.candidates.in_order]

    def row(self, number: int) -> Row:
        """Of the idea that a statement belongs to. Raises `Trouble` if it is none."""
        found = next((one for one in self.rows if number in one.idea.statement_ids), None)
        if found is None:
            raise not_found()
        return found

    def cited(self, number: int) -> Citation:
        if number not in self.texts:
            raise not_found()
        return Citation(id=number, text=self.texts[number])

    def assembled(self, name: str) -> PublicConstitution:
        """As `solon collect principles` makes it. Raises InputError if nothing passes."""
        draft = self.draft
        return assemble(self.talk, self.groups, self.rule, name=name, title=draft.title, merges=self.merges)

    @property
    def merges(self) -> MergeFile | None:
        """As `--merges`: None where nobody has looked at statements yet."""
        file = self.draft.merges
        return file if file.merge or file.wording or file.topic or file.order else None


def desk_of(visit: Visit, snapshot: Snapshot | None = None) -> Desk | None:
    """None: nobody has voted. `snapshot`: the newest, unless another is given."""
    snapshot = snapshot or visit.site.live.current(visit.talk.id)
    if snapshot.analysis is None:
        return None
    talk, draft = snapshot.conversation, draft_of(visit.db, visit.talk)
    texts = {one.id: one.text for one in talk.statements}
    merges = without(draft.merges, cited(draft.merges) - texts.keys(), texts)
    return Desk(talk=talk, groups=snapshot.analysis.groups, draft=replace(draft, merges=merges))


def require_desk(visit: Visit) -> Desk:
    found = desk_of(visit)
    if found is None:
        raise Trouble(404, mark("There are no principles yet"), mark("Nobody has voted so far."))
    return found


Decide = Callable[[Desk], MergeFile]


def change(visit: Visit, decide: Decide, done: str, **detail: object) -> list[str]:
    """Decide one thing, and log it; what it contradicts, if it cannot be. What people wrote is in no log.

    The form says which version it was made from (`seen`).
    """
    desk = require_desk(visit)
    try:
        merges = checked(decide(desk))
    except InputError as error:
        return [fault.what for fault in error.faults]
    store(visit, replace(desk.draft, merges=merges), done, **detail)
    return []


def store(visit: Visit, draft: Draft, done: str, **detail: object) -> None:
    """Keep it. Raises `Trouble` where somebody else has changed it since this page was made."""
    seen = visit.form.number("seen", least=0, most=10**8)
    visit.begin_writing()
    keep(visit.db, visit.talk, replace(draft, version=-1 if seen is None else seen))
    audit.record(visit.db, visit.staff, done, conversation=visit.talk.slug, **detail)


def back(visit: Visit) -> Answer:
    return visit.go("principles", slug=visit.talk.slug)
