"""Which heading outranks which, from what a document says about it: numbered lists, and sentences of a few forms.

1. Safety  2. Honesty           beside a sentence that says that the list is an order
... safety first, honesty second, and otherwise being helpful      an order told in one sentence
... in this order: safety, honesty, help
Safety comes before honesty     two headings, and a word between them that ranks them
Where they conflict, safety comes first                            the first of those that the sentence names
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from solon.constitution.proposing.forms import form
from solon.constitution.proposing.names import Named, Names

SENTENCE = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“‘(]*[A-Z])")
_NEAR = 60
"""So many characters before a word that ranks, a `not` or a `may` still belongs to it. Assumption."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """A sentence or a list of the document, and its line."""

    text: str
    line: int
    items: tuple[str, ...] = ()
    """Of a list: what each item begins with, highest first."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the document says of precedence."""

    ids: tuple[str, ...]
    """Headings, highest first; those of which nothing is said are not among them."""
    used: tuple[Said, ...]
    unused: tuple[tuple[Said, str], ...]
    """Sentences about priority, each with the reason why it ranks nothing."""


def about_priority(text: str) -> bool:
    """Whether a person should see it, even if nothing is ranked by it."""
    return form("about_priority").search(text) is not None


def may_rank(text: str) -> bool:
    return about_priority(text) or form("ordinals").search(text) is not None


def order_of(said: Iterable[Said], names: Names) -> Order:
    """What is said earlier counts; what contradicts it is not used. Where nothing is said of two headings, the one that
    stands first in the document comes first."""
    below: dict[str, set[str]] = {}
    used, unused = [], []
    for one in said:
        pairs = [pair for pair in _pairs(one, names) if _unrelated(*pair)]
        taken = [_put(below, high.id, low.id) for high, low in pairs]
        if any(taken):
            used.append(one)
        if not all(taken):
            unused.append((one, f"contradicts what was said before{', in part' if any(taken) else ''}"))
        elif not pairs and (one.items or about_priority(one.text)):
            unused.append((one, "names no two headings in a form known"))
    return Order(ids=tuple(_sorted(below, names)), used=tuple(used), unused=tuple(unused))


def _unrelated(one: Named, other: Named) -> bool:
    return one.id != other.id and one.id not in other.above and other.id not in one.above


def _put(below: dict[str, set[str]], high: str, low: str) -> bool:
    """Ranks two headings, unless the opposite is known, be it from the same sentence. Whether it did."""
    if _reaches(below, low, high):
        return False
    below.setdefault(high, set()).add(low)
    return True


def _reaches(below: dict[str, set[str]], start: str, goal: str) -> bool:
    seen, waiting = set[str](), [start]
    while waiting:
        one = waiting.pop()
        if one == goal:
            return True
        if one not in seen:
            seen.add(one)
            waiting += below.get(one, ())
    return False


def _sorted(below: dict[str, set[str]], names: Names) -> Iterator[str]:
    ranked = {*below, *(low for lows in below.values() for low in lows)}
    left = [one.id for one in names.headings if one.id in ranked]
    while left:
        held = {low for one in left for low in below.get(one, ())}
        first = next(one for one in left if one not in held)
        left.remove(first)
        yield first


def _pairs(said: Said, names: Names) -> list[tuple[Named, Named]]:
    """(higher, lower) as a list or a sentence has them."""
    if said.items:
        return list(pairwise(names.all_named(said.items)))
    if listed := form("listed").search(said.text):
        return list(pairwise(names.all_named(form("list").split(listed["rest"]))))
    if form("ordinals").search(said.text) and (chain := names.all_named(_ordinal_pieces(said.text)))[1:]:
        return list(pairwise(chain))
    compared = [
        *_compared(said.text, form("over"), names),
        *((b, a) for a, b in _compared(said.text, form("under"), names)),
    ]
    return compared or list(_first_in_conflict(said.text, names))


def _ordinal_pieces(text: str) -> Iterator[str]:
    """Of `safety first, honesty second, and otherwise help`: from the piece with `first` on."""
    pieces = re.split(r"[,;:]|\bthen\b", text, flags=re.IGNORECASE)
    start = next(place for place, piece in enumerate(pieces) if re.search(r"\bfirst\b", piece, re.IGNORECASE))
    return iter(pieces[start:])


def _compared(text: str, between: re.Pattern[str], names: Names) -> Iterator[tuple[Named, Named]]:
    """What stands before and after each word that ranks, within its clause."""
    for found in between.finditer(text):
        if form("unsaid").search(text[max(0, found.start() - _NEAR) : found.start()]):
            continue
        before, after = form("clause").split(text[: found.start()])[-1], form("clause").split(text[found.end() :])[0]
        highs, lows = (names.all_named(_phrases(part)) for part in (before, after))
        yield from ((high, low) for high in highs for low in lows)


def _phrases(part: str) -> Iterator[str]:
    """Those that may name a heading: `its other values` are all the rest, and not a heading about values."""
    return (phrase for phrase in re.split(r"\b(?:and|or)\b", part) if not form("the_rest").search(phrase))


def _first_in_conflict(text: str, names: Names) -> Iterator[tuple[Named, Named]]:
    found = form("first").search(text)
    if (
        found
        and form("conflict").search(text)
        and not form("unsaid").search(text[max(0, found.start() - _NEAR) : found.start()])
    ):
        high = names.named(form("clause").split(text[: found.start()])[-1])
        others: Sequence[Named] = names.all_named(form("list").split(text[: found.start()]))
        yield from ((high, other) for other in others if high and other.id != high.id)
