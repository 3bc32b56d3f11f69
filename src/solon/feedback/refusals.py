"""Needless refusals where nobody knows the truth: of a benign prompt, by the model that also answers it.

Both texts answer the same prompt, so they differ in refusing and not in their topic; and which of the two helps more is
known from how they were made, once a detector agrees that one refuses and the other does not.
"""

from __future__ import annotations

from collections.abc import Sequence

from solon.evals.lexical import refusal
from solon.feedback.made import Made
from solon.feedback.pair import NEEDLESS_REFUSAL, pair
from solon.feedback.rate import helpfulness
from solon.feedback.rows import Asker, Dropped
from solon.lm.protocols import LanguageModel, Sampling
from solon.records import Comparison, Prompt, Turn

RATER = "construction"
"""Nobody judged: how the pair was made, its `method`, decides which answer is better."""


def needless_refusals(
    prompts: Sequence[Prompt],
    model: LanguageModel,
    sampling: Sampling,
    instruction: str,
    *,
    seed: int,
    stage: str = "needless-refusals",
    per_prompt: int = 1,
) -> Made[Comparison]:
    """`per_prompt` comparisons per benign prompt: an own answer (`a`, p = 1) and a refusal of the same prompt (`b`).

    The refusal is written by the same model with `instruction` as its system turn, in the place of any that the prompt
    has. Kept where `refusal` finds `b` a whole refusal and none in `a`. All others are dropped by reason: an own answer
    that refuses a benign prompt tells something about the model, but not which of two refusals is better.
    """
    asker = Asker(model=model, sampling=sampling, seed=seed, stage=stage)

    async def row(prompt: Prompt, number: int) -> Comparison:
        found = await pair(asker, prompt, _under(instruction, prompt), number, NEEDLESS_REFUSAL)
        reason = _why_dropped(found.a, found.b)
        if reason is not None:
            raise Dropped(reason)
        return helpfulness(found, 1.0, RATER)

    return asker.rows(row(prompt, number) for prompt in prompts for number in range(per_prompt))


def _under(instruction: str, prompt: Prompt) -> Prompt:
    spoken = (turn for turn in prompt.turns if turn.role != "system")
    return prompt.model_copy(update={"turns": (Turn(role="system", text=instruction), *spoken)})


def _why_dropped(own: str, refused: str) -> str | None:
    """None if the pair is what it is meant to be."""
    if not own:
        return "own answer is empty"
    found = refusal(own)
    if found != "none":
        return "own answer refuses" if found == "whole" else "own answer refuses in part"
    return None if refusal(refused) == "whole" else "no whole refusal was written"
