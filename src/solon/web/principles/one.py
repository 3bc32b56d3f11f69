"""One idea: what the public said, what the principle says, where it stands, what it is one with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from solon.collective.principles import deciding
from solon.collective.principles.merges import MergeFile
from solon.collective.principles.topics import alike
from solon.collective.principles.wording import MAX_CHARACTERS, Stance, odd, unusable, word
from solon.report.public.language import mark
from solon.web.access import Access
from solon.web.collect.alike import read_vectors
from solon.web.principles.desk import Desk, Row, back, change, require_desk
from solon.web.routing import action, page
from solon.web.troubles import Trouble, not_found
from solon.web.visit import Answer, Visit

LONGEST_NOTE = 500
NEAR = 5
"""Ideas that are shown beside one, most alike first."""
STEPS = {"first": -(10**6), "up": -1, "down": 1}


def principle(visit: Visit) -> Answer:
    return _one(visit, ())


def decide_idea(visit: Visit) -> Answer:
    """Whatever the button says, of the idea that a statement belongs to."""
    number, wanted = visit.number("number"), visit.form["do"]
    if wanted not in DECISIONS:
        raise not_found()
    faults = change(
        visit, lambda desk: DECISIONS[wanted](visit, desk, desk.row(number)), f"principles: {wanted}", statement=number
    )
    if faults:
        return _one(visit, faults)
    gone = wanted == "leave out"
    return back(visit) if gone else visit.go("principle", slug=visit.talk.slug, number=number)


def _word(visit: Visit, desk: Desk, row: Row) -> MergeFile:
    words = visit.form.line("words")
    if (fault := unusable(words)) and words:
        raise Trouble(422, mark("These words cannot become a principle"), "%(why)s", why=fault)
    return deciding.worded(desk.draft.merges, row.idea, desk.cited(row.idea.id), words)


def _leave_out(visit: Visit, desk: Desk, row: Row) -> MergeFile:
    note = visit.form.line("note")[:LONGEST_NOTE]
    return deciding.left_out(desk.draft.merges, desk.cited(row.idea.id), note)


def _split(visit: Visit, desk: Desk, row: Row) -> MergeFile:
    return deciding.decided(desk.draft.merges, row.idea.merge or "", "no", row.idea.text)


def _merge(visit: Visit, desk: Desk, row: Row) -> MergeFile:
    other = visit.form.number("other", least=0, most=2**31 - 1)
    second = desk.row(-1 if other is None else other)
    if second.idea.id == row.idea.id:
        raise Trouble(422, mark("These are one already"), mark("Choose another statement."))
    return deciding.made_one(desk.draft.merges, row.idea, second.idea, desk.texts)


def _move(visit: Visit, desk: Desk, row: Row) -> MergeFile:
    if row.place is None:
        raise Trouble(409, mark("This is no principle now"), mark("Only what is chosen has a place."))
    return deciding.moved(desk.draft.merges, desk.standing, row.idea.id, STEPS[visit.form["do"]])


DECISIONS: dict[str, Callable[[Visit, Desk, Row], MergeFile]] = {
    "word": _word,
    "leave out": _leave_out,
    "split": _split,
    "merge": _merge,
    **dict.fromkeys(STEPS, _move),
}
"""By the value of the button, which is also what the log says."""


def take_in(visit: Visit) -> Answer:
    """A statement that somebody left out is quoted again."""
    number = visit.number("number")
    faults = change(
        visit,
        lambda desk: deciding.quoted_as_is(desk.draft.merges, desk.cited(number).id),
        "principles: take in",
        statement=number,
    )
    assert not faults, "a decision less contradicts nothing"
    return back(visit)


def _one(visit: Visit, faults: Sequence[str]) -> Answer:
    desk = require_desk(visit)
    row = desk.row(visit.number("number"))
    stance: Stance = "rejected" if row.rejected else "agreed"
    return visit.render(
        "principle.html.j2",
        status=422 if faults else 200,
        desk=desk,
        row=row,
        faults=faults,
        typed=visit.form["words"] or row.idea.text,
        odd=odd(row.idea.text),
        reads=None if unusable(row.idea.text) else word(row.idea.text, stance),
        near=_near(desk, row),
        most=MAX_CHARACTERS,
    )


def _near(desk: Desk, row: Row) -> list[Row]:
    vectors = read_vectors(tuple(one.idea.text for one in desk.rows))
    return [desk.rows[at] for at, _ in alike(vectors, desk.rows.index(row), threshold=0.15)[:NEAR]]


PAGES = (
    page("/c/{slug}/principles/{number:row}", principle, Access.ORGANISER),
    action("/c/{slug}/principles/{number:row}", decide_idea, Access.ORGANISER, writes=False),
    action("/c/{slug}/principles/{number:row}/take-in", take_in, Access.ORGANISER, writes=False),
)
