"""Pairs of answers to be compared (CAI section 4.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from solon.feedback.made import Made
from solon.feedback.rows import Asker, Dropped
from solon.lm.batcher import together
from solon.lm.protocols import LanguageModel, Sampling
from solon.prompting.context import dialogue
from solon.records import Pair, Prompt

IDENTICAL = "identical"
"""Both answers are the same text: there is nothing to compare."""
NEEDLESS_REFUSAL = "needless-refusal"
"""Source of pairs that teach a model not to refuse what is harmless."""


def answer_pairs(
    prompts: Sequence[Prompt],
    model: LanguageModel,
    sampling: Sampling,
    *,
    seed: int,
    stage: str = "pairs",
    per_prompt: int = 1,
) -> Made[Pair]:
    """`per_prompt` pairs per prompt: two answers of one model at one temperature, which differ by their seeds alone."""
    asker = Asker(model=model, sampling=sampling, seed=seed, stage=stage)
    return asker.rows(
        pair(asker, prompt, prompt, number, "policy") for prompt in prompts for number in range(per_prompt)
    )


def twin_pairs(
    prompts: Sequence[Prompt],
    harmful_twins: Mapping[str, Prompt],
    model: LanguageModel,
    sampling: Sampling,
    *,
    seed: int,
    stage: str = "needless-refusals",
    per_prompt: int = 1,
) -> Made[Pair]:
    """An own answer to a benign prompt (`a`), and what the same model answers to a harmful one (`b`), likely a refusal.

    harmful_twins: for a benign prompt's id, a harmful prompt in the same situation. Prompts without a twin are dropped
    as `no harmful twin`. Which answer helps more is for somebody to say who knows: the model may have complied.
    """
    asker = Asker(model=model, sampling=sampling, seed=seed, stage=stage)

    async def row(prompt: Prompt, number: int) -> Pair:
        if prompt.id not in harmful_twins:
            raise Dropped("no harmful twin")
        return await pair(asker, prompt, harmful_twins[prompt.id], number, NEEDLESS_REFUSAL)

    return asker.rows(row(prompt, number) for prompt in prompts for number in range(per_prompt))


async def pair(asker: Asker, prompt: Prompt, other: Prompt, number: int, source: str) -> Pair:
    """An answer to `prompt` and one to `other`; dropped if one does not fit the context, or both are the same text."""
    a, b = await together(
        [
            asker.complete(dialogue(prompt.turns), prompt.id, number, "a"),
            asker.complete(dialogue(other.turns), prompt.id, number, "b"),
        ]
    )
    if a.text == b.text:
        raise Dropped(IDENTICAL)
    asker.note_ending("answer", a)
    asker.note_ending("answer", b)
    return Pair(id=f"{prompt.id}.{asker.stage}-{number}", prompt_id=prompt.id, a=a.text, b=b.text, source=source)
