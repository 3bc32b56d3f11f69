"""Training and evaluation prompts that share no conversation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from solon.errors import PromptError
from solon.records import Prompt
from solon.seeds import derive_seed


@dataclass(frozen=True, kw_only=True)
class PromptSplit:
    """Two disjoint sets, each in the order given."""

    training: tuple[Prompt, ...]
    evaluation: tuple[Prompt, ...]


def split_prompts(prompts: Sequence[Prompt], *, evaluation: int, seed: int, max_share: float = 0.2) -> PromptSplit:
    """Holds out about `evaluation` prompts, at most `max_share` of all, at least one.

    Whole conversations are held out: prompts that open with the same human turn (white space and letter case aside)
    stay together, because data sets hold one conversation at several lengths. Which are held out depends on `seed` and
    on their text, not on their order. `max_share`: assumption. Raises `PromptError` if all prompts are one
    conversation.
    """
    groups: dict[str, list[Prompt]] = defaultdict(list)
    for prompt in prompts:
        groups[opening_of(prompt)].append(prompt)
    if len(groups) < 2:
        raise PromptError(
            f"all prompts ({len(prompts)}) open in the same way, so none can be held out for evaluation",
            hint="give prompts from at least two conversations",
        )
    target = max(1, min(evaluation, int(len(prompts) * max_share)))
    order = sorted(groups, key=lambda opening: derive_seed(seed, "split", opening))
    held: set[str] = set()
    size = 0
    for opening in order:
        if size + len(groups[opening]) <= target:
            held.add(opening)
            size += len(groups[opening])
    if not held:  # every conversation is larger than the target
        held.add(min(order, key=lambda opening: len(groups[opening])))
    return PromptSplit(
        training=tuple(prompt for prompt in prompts if opening_of(prompt) not in held),
        evaluation=tuple(prompt for prompt in prompts if opening_of(prompt) in held),
    )


def choose_prompts(prompts: Sequence[Prompt], count: int, *, seed: int) -> tuple[Prompt, ...]:
    """At most `count` prompts, in the order given; which ones depends on `seed` and their ids alone."""
    chosen = set(sorted({p.id for p in prompts}, key=lambda name: derive_seed(seed, "choose", name))[:count])
    return tuple(prompt for prompt in prompts if prompt.id in chosen)


def opening_of(prompt: Prompt) -> str:
    """The first human turn without what does not tell conversations apart: letter case and white space."""
    return " ".join(prompt.turns[0].text.casefold().split())
