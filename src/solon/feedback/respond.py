"""Answers to prompts."""

from __future__ import annotations

from collections.abc import Sequence

from solon.feedback.made import Made
from solon.feedback.rows import Asker
from solon.lm.protocols import LanguageModel, Sampling
from solon.prompting.context import dialogue
from solon.records import Answer, Prompt


def respond(
    prompts: Sequence[Prompt], model: LanguageModel, sampling: Sampling, *, seed: int, stage: str, copies: int = 1
) -> Made[Answer]:
    """`copies` answers per prompt, in the order of the prompts.

    Empty and cut-off answers are kept, because they are evidence about the model, and noted. Prompts that do not fit
    the context are dropped with all their copies.
    """
    asker = Asker(model=model, sampling=sampling, seed=seed, stage=stage)
    return asker.rows(answer(asker, prompt, copy) for prompt in prompts for copy in range(copies))


async def answer(asker: Asker, prompt: Prompt, copy: int = 0) -> Answer:
    """One answer."""
    completion = await asker.complete(dialogue(prompt.turns), prompt.id, copy)
    asker.note_ending("answer", completion)
    return Answer(
        id=f"{prompt.id}.{asker.stage}-{copy}",
        prompt_id=prompt.id,
        text=completion.text,
        tokens=completion.tokens,
        finished=not completion.truncated,
    )
