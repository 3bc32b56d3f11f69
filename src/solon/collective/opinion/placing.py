"""What every method and every number of groups have in common: who is grouped, and where they stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from solon.collective.conversation import Conversation, Ints
from solon.collective.opinion.polis.clusters import Start
from solon.collective.opinion.results import Groups, Imputation, by_size


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
