"""Needless refusals where nobody knows the truth: of a benign prompt, by the model that also answers it.

Both texts answer the same prompt, so they differ in refusing and not in their topic; and which of the two helps more is
known from how they were made, once a detector agrees that one refuses and the other does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from solon.config import SamplingSection
from solon.evals.lexical import refusal
from solon.feedback.made import Made
from solon.feedback.pair import NEEDLESS_REFUSAL, write_pairs
from solon.feedback.rate import helpfulness
from solon.feedback.respond import answer_request
from solon.lm.protocols import Progress, Writer
from solon.prompting.dialogue import DialogueFormat
from solon.records import Comparison, Prompt, Turn
from solon.seeds import derive_seed

RATER = "construction"
"""Nobody judged: how the pair was made, its `method`, decides which answer is better."""


def needless_refusals(
    prompts: Sequence[Prompt],
    model: Writer,
    format: DialogueFormat,
    sampling: SamplingSection,
    instruction: str,
    *,
    seed: int,
    stage: str = "needless-refusals",
    per_prompt: int = 1,
    progress: Progress | None = None,
) -> Made[Comparison]:
    """`per_prompt` comparisons per benign prompt: an own answer (`a`, p = 1) and a refusal of the same prompt (`b`).

    The refusal is written by the same model with `instruction` as its system turn, in the place of any that the prompt
    has. Kept where `refusal` finds `b` a whole refusal and none in `a`. All others are dropped by reason: an own answer
    that refuses a benign prompt tells something about the model, but not which of two refusals is better.
    """
    rows = []
    for prompt in prompts:
        refusing = _under(instruction, prompt)
        for number in range(per_prompt):
            own = answer_request(prompt, format, sampling, derive_seed(seed, stage, prompt.id, number, "a"))
            refused = answer_request(refusing, format, sampling, derive_seed(seed, stage, prompt.id, number, "b"))
            rows.append((f"{prompt.id}.{stage}-{number}", prompt.id, (own, refused)))
    made = write_pairs(rows, model, source=NEEDLESS_REFUSAL, progress=progress)
    reasons = [_why_dropped(pair.a, pair.b) for pair in made.records]
    kept = [pair for pair, reason in zip(made.records, reasons, strict=True) if reason is None]
    return Made(
        records=tuple(helpfulness(pair, 1.0, RATER) for pair in kept),
        dropped=made.dropped + Counter(reason for reason in reasons if reason is not None),
        noted=made.noted,
        tokens=made.tokens,
    )


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
