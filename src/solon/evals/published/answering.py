"""A model's answers to prompts of one turn each, side by side, each drawn with a seed of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.errors import EngineError
from solon.lm.batcher import run, together
from solon.lm.protocols import Completion, LanguageModel, Sampling
from solon.prompting.context import Context, Message
from solon.seeds import derive_seed


@dataclass(frozen=True, kw_only=True)
class Answers:
    """In the order of the prompts."""

    texts: tuple[str | None, ...]
    """None where the engine failed at a prompt."""
    lost: dict[str, int]
    """How many are None, by reason."""
    unfinished: int
    """Answers that the token limit cut off."""


def answer(prompts: Sequence[str], model: LanguageModel, sampling: Sampling, *, task: str, seed: int) -> Answers:
    """What the model replies to each prompt. A reply's seed follows from `seed`, the task and the prompt's place."""

    async def reply(place: int, prompt: str) -> Completion | str:
        context = Context(messages=(Message("human", prompt),))
        try:
            return await model.complete(context, sampling, seed=derive_seed(seed, task, place))
        except EngineError as error:
            return error.reason

    given = run(together(reply(place, prompt) for place, prompt in enumerate(prompts)))
    reasons = [one for one in given if isinstance(one, str)]
    return Answers(
        texts=tuple(None if isinstance(one, str) else one.text for one in given),
        lost={reason: reasons.count(reason) for reason in sorted(set(reasons))},
        unfinished=sum(isinstance(one, Completion) and one.truncated for one in given),
    )
