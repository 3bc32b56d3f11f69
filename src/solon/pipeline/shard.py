"""What makes the rows of a shard, and where: in this process, one shard after another, or wherever `Workers` are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from solon.feedback.rows import Rows
from solon.models.allocator import give_memory_back

if TYPE_CHECKING:
    from solon.pipeline.actors import Actor

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Shard(Generic[R]):
    """What was made of so many items."""

    items: int
    rows: Rows[R]
    engines: Mapping[str, str]
    """Identities of the models that were asked, by what the stage calls them."""
    manners: Mapping[str, str]
    """Of those that can be asked in several ways, how they were."""


@dataclass(frozen=True, kw_only=True)
class Maker(Generic[T, R]):
    """Makes the shards of a stage. It holds all that their rows need, so another process can have it; models are loaded
    where it is called."""

    make: Callable[[Sequence[T]], Rows[R]]
    actors: Mapping[str, Actor]
    """The models that `make` asks, by role or by the stage that trained them."""

    def __call__(self, items: Sequence[T]) -> Shard[R]:
        rows = self.make(items)
        give_memory_back()
        models = {name: actor.model for name, actor in self.actors.items()}
        engines = {name: model.identity for name, model in models.items()}
        manners = {name: model.can.manner for name, model in models.items() if model.can.manner}
        return Shard(items=len(items), rows=rows, engines=engines, manners=manners)


class Workers(Protocol):
    """Has shards made. It may return them in any order, each with its number."""

    def __call__(
        self, maker: Maker[Any, Any], parts: Mapping[int, Sequence[Any]], /
    ) -> Iterable[tuple[int, Shard[Any]]]: ...


def one_by_one(maker: Maker[T, R], parts: Mapping[int, Sequence[T]]) -> Iterable[tuple[int, Shard[R]]]:
    """Here, each when the one before it is kept."""
    return ((number, maker(items)) for number, items in parts.items())
