"""What every number of groups and every start of a method have in common: who is grouped, and where they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from solon.collective.conversation import Conversation, Ints
from solon.collective.opinion.results import Groups, Imputation, by_size

Grouping = tuple[Ints, dict[int, float]]
"""Labels [G], contiguous from 0, and the silhouettes by number of groups tried."""


class Start(Protocol):
    """One start of a method's clustering."""

    @property
    def number(self) -> int:
        """Of groups, as the method chooses it."""

    def grouped(self, k: int) -> Grouping:
        """Into `k` groups. Raises InputError if people stand in fewer different places."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """People of a conversation, ready to be grouped."""

    rows_G: Ints
    """Of those who are grouped, ascending."""
    start: Callable[[int], Start]
    """By seed."""
    method: str
    notes: tuple[str, ...] = ()

    def groups(self, conversation: Conversation, start: Start, k: int) -> Groups:
        """The groups of one of its starts."""
        labels_G, silhouettes = start.grouped(k)
        ids_G = conversation.participant_ids[self.rows_G]
        labels_G = by_size(labels_G, ids_G)
        names = tuple(map(str, range(int(labels_G.max()) + 1)))
        empty = (f"{k} groups were asked for; {k - len(names)} of them ended up empty.",) if len(names) < k else ()
        return Groups(
            participant_ids=ids_G,
            labels_G=labels_G,
            names=names,
            silhouettes=silhouettes,
            method=self.method,
            notes=(*self.notes, *empty),
        )


Place = Callable[[Conversation, Imputation | None], Placed]
"""A method. Imputation None is its own. Raises InputError where it cannot place anybody."""


def leading(numbers: Iterable[int], *, of: int) -> Counter[int]:
    """`of` numbers counted, until those to come cannot change which is the commonest.

    >>> leading([2, 3, 2, 2, 5], of=5)
    Counter({2: 3, 3: 1})
    """
    counts: Counter[int] = Counter()
    for left, number in zip(range(of - 1, -1, -1), numbers, strict=False):
        counts[number] += 1
        (_, first), (_, second) = (*counts.most_common(2), (0, 0))[:2]
        if first - second > left:
            break
    return counts
