"""Looks at a training every so many steps, ends it early, and puts back the weights that were best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import JsonValue
from torch import Tensor

from solon.artifacts.checkpoint import Checkpoint
from solon.evals.checks import Look
from solon.evals.stopping import Judge, Verdict
from solon.train.parallel import ALONE, Group

if TYPE_CHECKING:
    from solon.train.loop import Trainer

S = TypeVar("S", bound=Look)
Looked = Callable[[Sequence[Any]], object]
"""Told of all looks so far, after each; after a kill again of those since the last checkpoint."""
_BEST = "best."
"""What the names of the best weights begin with in a checkpoint."""


class Watch(Generic[S]):
    """What was seen of one training, and its best weights, which a checkpoint holds besides those of its step."""

    def __init__(
        self,
        *,
        every: int,
        look: Callable[[int], S],
        judge: Judge[S],
        record: type[S],
        looked: Looked,
        stops: bool = True,
        best_at_end: bool = False,
        group: Group = ALONE,
    ) -> None:
        """
        Args:
            every: steps from one look to the next; there is one before the first step and one after the last, too. 0:
                there is none.
            look: what is seen after so many steps; a function of their number and the weights alone.
            judge: what follows from all looks so far.
            stops: whether it ends the training if the judge says so, which then goes back to its best weights.
            best_at_end: whether it goes back to them in any case.
            group: its processes all look, and go by what the first one sees.
        """
        self._every, self._look, self._judge, self._record, self._looked = every, look, judge, record, looked
        self._stops, self._best_at_end, self._group = stops, best_at_end, group
        self._looks: list[S] = []
        self._best: Mapping[str, Tensor] = {}

    def begin(self, trainer: Trainer) -> None:
        """The look before the first step."""
        if not self._looks:
            self.after(0, trainer)

    def after(self, step: int, trainer: Trainer, *, last: bool = False) -> bool:
        """Looks, if it is time to. Returns whether the training goes on."""
        if not self._every or (step % self._every and not last):
            return True
        self._looks.append(self._group.gather(self._look(step))[0])
        verdict = self._judge(self._looks)
        if verdict.best == step:
            self._best = trainer.weights()
        self._looked(self._looks)
        return not (self._stops and verdict.stop)

    def end(self, trainer: Trainer) -> None:
        """Goes back to the best weights, if that is to be."""
        if self._looks and (self._best_at_end or (self._stops and self._judge(self._looks).stop)):
            trainer.put_weights(self._best)

    def tensors(self) -> dict[str, Tensor]:
        """For a checkpoint, as `state`."""
        return {f"{_BEST}{name}": tensor for name, tensor in self._best.items()}

    def state(self) -> dict[str, JsonValue]:
        """What else goes on."""
        return {"looks": [look.model_dump(mode="json") for look in self._looks]}

    def load(self, saved: Checkpoint) -> None:
        """Goes on from a checkpoint."""
        self._looks = [self._record.model_validate(look) for look in saved.state.get("looks", ())]
        best = {name: tensor for name, tensor in saved.tensors.items() if name.startswith(_BEST)}
        self._best = {name.removeprefix(_BEST): tensor for name, tensor in best.items()}


def unwatched() -> Watch[Look]:
    """Looks at nothing."""
    return Watch(every=0, look=lambda step: Look(step=step), judge=_last, record=Look, looked=lambda looks: None)


def _last(looks: Sequence[Look]) -> Verdict:
    return Verdict(best=looks[-1].step)
