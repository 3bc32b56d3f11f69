"""A page of a run's rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, cast, get_args
from urllib.parse import urlencode

from markupsafe import Markup

from solon.records import Comparison, Ranking
from solon.report import wording
from solon.report.public.language import mark
from solon.report.run import cards
from solon.report.run.cards import Card
from solon.web.access import Access
from solon.web.limits import Limit
from solon.web.routing import page
from solon.web.runs import Run
from solon.web.studio.shelves import SHELVES, Grade, Shelf, Shelved, Wish, beside, card_of, passing, shelved
from solon.web.troubles import explained, not_found
from solon.web.visit import Answer, Visit

PER_PAGE = 25
LONGEST_QUERY = 200
GRADES: dict[Grade, str] = {
    "harmful": mark("harmful"),
    "harmless": mark("not harmful"),
    "unscored": mark("without a verdict"),
}


def read(visit: Visit) -> Answer:
    """25 rows of a shelf that somebody wants, and the way to those before and after."""
    run, shelf = visit.run, _shelf(visit)
    wish = _wish(visit)
    with explained(visit.site.runs.told):
        found = [(one, passing(run, one, wish, visit.site.kept)) for one in shelved(run, shelf, visit.site.kept)]
        known = beside(run, visit.site.kept)
        total = sum(len(numbers) for _, numbers in found)
        last = max(1, -(-total // PER_PAGE))
        at = min(_number(visit), last)
        shown = [(one.stage, row) for one, number in _slice(found, at) for row in [one.rows[number]]]
        placed = [(f"{stage}/{row.id}", card_of(stage, row, known)) for stage, row in shown]
    return visit.render(
        "studio-read.html.j2",
        run=run,
        shelf=shelf,
        shelves=SHELVES,
        wish=wish,
        stages=[one.stage for one, _ in found],
        kinds=known.kinds,
        grades=_grades(shelf),
        total=total,
        at=at,
        last=last,
        shown=[card for _, card in placed],
        address_of=lambda number: "?" + urlencode(_query(wish, number)),
        **_placed(visit, run, placed),
        prompts=known.prompts,
    )


def _shelf(visit: Visit) -> Shelf:
    found = next((one for one in SHELVES if one.key == visit.part("shelf")), None)
    if found is None:
        raise not_found()
    return found


def _wish(visit: Visit) -> Wish:
    asked = visit.request.query_params
    grade = asked.get("grade", "")
    return Wish(
        kind=asked.get("kind", ""),
        stage=asked.get("stage", ""),
        grade=cast(Grade, grade) if grade in get_args(Grade) else "",
        refusals=bool(asked.get("refusals")),
        words=tuple(asked.get("q", "")[:LONGEST_QUERY].casefold().split()),
    )


def _grades(shelf: Shelf) -> dict[Grade, str]:
    if shelf.record in (Comparison, Ranking):
        return {"unscored": GRADES["unscored"]}
    return GRADES if shelf.graded else {}


def _number(visit: Visit) -> int:
    """Of the page; what is no number is the first."""
    asked = visit.request.query_params.get("page", "")[:9]
    return max(1, int(asked)) if asked.isascii() and asked.isdecimal() else 1


def _slice(found: Sequence[tuple[Shelved, Sequence[int]]], at: int) -> Iterator[tuple[Shelved, int]]:
    every = chain.from_iterable(((one, number) for number in numbers) for one, numbers in found)
    return islice(every, (at - 1) * PER_PAGE, at * PER_PAGE)


def _query(wish: Wish, number: int) -> dict[str, str]:
    fields = {
        "kind": wish.kind,
        "stage": wish.stage,
        "grade": wish.grade,
        "refusals": "yes" if wish.refusals else "",
        "q": " ".join(wish.words),
        "page": str(number) if number > 1 else "",
    }
    return {name: value for name, value in fields.items() if value}


def _placed(visit: Visit, run: Run, shown: Sequence[tuple[str, Card]]) -> dict[str, Any]:
    """What the template of cards wants to know: every id leads to where it comes from. shown: full names and cards."""
    at = {id(card): name for name, card in shown}

    def traced(name: str) -> str:
        return f"{visit.path('trace', run=run.address)}?{urlencode({'id': name})}"

    def ways(card: Card) -> list[tuple[str, str]]:
        return [
            (traced(at[id(card)]), visit.say("Where it comes from")),
            (traced(card.prompt_id), visit.say("Its prompt")),
        ]

    return {
        "cards": cards,
        "wording": wording,
        "attributes": lambda one: "",
        "ways": ways,
        "principle_link": lambda id: Markup('<a href="{}">{}</a>').format(traced(f"constitution/{id}"), id),
    }


LOOKS = Limit("read", 120, 60, of_browser=True)
"""A new search reads all rows of a shelf."""
PAGES = (page("/runs/{run}/read/{shelf}", read, Access.MEMBER, limit=LOOKS),)
