"""Early stopping: some prompts are kept out of a training, and the weights that do best on them are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from solon.config.training import EpochsSection
from solon.errors import ConfigError
from solon.evals.checks import HeldOutLoss
from solon.evals.stopping import judge_of
from solon.seeds import generator
from solon.train.parallel import ALONE, Group
from solon.train.watch import Looked, Watch


def held_out(prompts: Sequence[str], section: EpochsSection, stage: str, *, seed: int) -> list[int]:
    """Which examples a training keeps out: those of some prompts, drawn from the seed and the prompt; by default none.

    Args:
        prompts: of each example, what names its prompt.

    Raises `ConfigError` if there would be none, or nothing else.
    """
    stopping = section.early_stopping
    if stopping is None:
        return []
    drawn = {one: generator(seed, "early-stopping", one).random() < stopping.holdout for one in set(prompts)}
    if len(set(drawn.values())) < 2:
        key = f"{stage}.early_stopping.holdout"
        what = f"{key} is {stopping.holdout:g}, which keeps out {sum(drawn.values())} of {len(drawn)} prompts"
        raise ConfigError(what, hint=f"{'lower' if all(drawn.values()) else 'raise'} it, or give more prompts")
    return [index for index, prompt in enumerate(prompts) if drawn[prompt]]


def stopping_early(
    section: EpochsSection, mean_loss: Callable[[], float], looked: Looked, group: Group = ALONE
) -> Watch[Any] | None:
    """Watches the mean loss of what is kept out, if the section asks for that."""
    stopping, judge = section.early_stopping, judge_of(section)
    if stopping is None or judge is None:
        return None
    return Watch(
        every=stopping.every,
        look=lambda step: HeldOutLoss(step=step, loss=mean_loss()),
        judge=judge,
        record=HeldOutLoss,
        looked=looked,
        best_at_end=True,
        group=group,
    )
