"""Answers to prompts, and pairs of answers to compare (CAI section 4.1), some of which need no judge (section 4.2)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from solon.evals.lexical import refusal
from solon.feedback.rows import Dropped, Rows, Sampler, run_rows
from solon.lm.batcher import together
from solon.prompting.context import dialogue
from solon.records import Answer, Comparison, Pair, Prompt, Turn

IDENTICAL = "identical"
"""Why a pair is dropped: both answers are the same text, so there is nothing to compare."""
NEEDLESS_REFUSAL = "needless-refusal"
"""Source of pairs that teach a model not to refuse what is harmless."""
BY_CONSTRUCTION = "construction"
"""Rater of comparisons without a judge: the way the pair was made, its `method`, decides which answer is better."""


def respond(prompts: Sequence[Prompt], sampler: Sampler, *, copies: int = 1) -> Rows[Answer]:
    """`copies` answers per prompt, in the order of the prompts.

    Empty and truncated answers are kept, because they are evidence about the model, and noted. Prompts that do not fit
    the context are dropped with all their copies.
    """

    async def answer(prompt: Prompt, copy: int) -> Answer:
        completion = await sampler.complete(dialogue(prompt.turns), prompt.id, copy, text="answer")
        return Answer(
            id=f"{prompt.id}.{sampler.stage}-{copy}",
            prompt_id=prompt.id,
            text=completion.text,
            tokens=completion.tokens,
            finished=not completion.truncated,
        )

    return run_rows(answer(prompt, copy) for prompt in prompts for copy in range(copies))


def answer_pairs(prompts: Sequence[Prompt], sampler: Sampler, *, per_prompt: int | Mapping[str, int] = 1) -> Rows[Pair]:
    """`per_prompt` pairs of each prompt, or as many as it says of its id: two answers of one model at one temperature,
    which differ by their seeds alone."""
    count = {prompt.id: per_prompt for prompt in prompts} if isinstance(per_prompt, int) else per_prompt
    return run_rows(
        _pair(sampler, prompt, prompt, number, "policy") for prompt in prompts for number in range(count[prompt.id])
    )


def twin_pairs(
    prompts: Sequence[Prompt], harmful_twins: Mapping[str, Prompt], sampler: Sampler, *, per_prompt: int = 1
) -> Rows[Pair]:
    """The model's answer to a benign prompt (`a`), and its answer to a harmful one (`b`), likely a refusal.

    harmful_twins: for a benign prompt's id, a harmful prompt in the same situation. Prompts without a twin are dropped
    as `no harmful twin`. Which answer helps more is for a rater to say: the model may have complied.
    """

    async def row(prompt: Prompt, number: int) -> Pair:
        if prompt.id not in harmful_twins:
            raise Dropped("no harmful twin")
        return await _pair(sampler, prompt, harmful_twins[prompt.id], number, NEEDLESS_REFUSAL)

    return run_rows(row(prompt, number) for prompt in prompts for number in range(per_prompt))


def needless_refusals(
    prompts: Sequence[Prompt], instruction: str, sampler: Sampler, *, per_prompt: int = 1
) -> Rows[Comparison]:
    """`per_prompt` comparisons per benign prompt: the model's answer (`a`, p = 1) and its refusal of the same prompt
    (`b`). Without a rater, such pairs are known to be right by how they are made, and differ in refusing alone.

    The refusal is sampled with `instruction` as system turn, in the place of any that the prompt has. A pair is kept
    where `refusal` finds `b` a whole refusal and none in `a`. All others are dropped by reason: an answer that refuses
    a benign prompt tells something about the model, but not which of two refusals is better.
    """

    async def row(prompt: Prompt, number: int) -> Comparison:
        spoken = (turn for turn in prompt.turns if turn.role != "system")
        refusing = prompt.model_copy(update={"turns": (Turn(role="system", text=instruction), *spoken)})
        pair = await _pair(sampler, prompt, refusing, number, NEEDLESS_REFUSAL)
        if not pair.a:
            raise Dropped("own answer is empty")
        found = refusal(pair.a)
        if found != "none":
            raise Dropped("own answer refuses" if found == "whole" else "own answer refuses in part")
        if refusal(pair.b) != "whole":
            raise Dropped("no whole refusal was written")
        return _helpfulness(pair, 1.0, BY_CONSTRUCTION)

    return run_rows(row(prompt, number) for prompt in prompts for number in range(per_prompt))


async def _pair(sampler: Sampler, prompt: Prompt, other: Prompt, number: int, source: str) -> Pair:
    """An answer to `prompt` and one to `other`; dropped if one does not fit the context, or both are the same text.
    Their flaws count even then: a model that always writes the same noise is found out by it."""
    a, b = await together(
        sampler.complete(dialogue(asked.turns), prompt.id, number, side, text="answer")
        for asked, side in ((prompt, "a"), (other, "b"))
    )
    if a.text == b.text:
        raise Dropped(IDENTICAL, told=True)
    return Pair(id=f"{prompt.id}.{sampler.stage}-{number}", prompt_id=prompt.id, a=a.text, b=b.text, source=source)


class HelpfulnessRater(Protocol):
    """Says which of two answers helps more: people, or in the synthetic world the oracle."""

    def rate(self, prompt: Prompt, a: str, b: str) -> float | None:
        """The probability that `a` is the more helpful answer; None if that cannot be told."""


def rate_pairs(
    pairs: Sequence[Pair], prompts: Sequence[Prompt], rater: HelpfulnessRater, rater_name: str
) -> Rows[Comparison]:
    """One helpfulness comparison per pair, prompt by prompt: their order does not follow from which were answered
    together. `method` is the pair's source.

    Pairs that the rater cannot tell apart are `unscored`, never a tie; 0.5 is a tie the rater gave. Raises `ValueError`
    if a rating is not a probability.
    """
    prompt_of = {prompt.id: prompt for prompt in prompts}
    place = {prompt: number for number, prompt in enumerate(prompt_of)}
    different = sorted((pair for pair in pairs if pair.a != pair.b), key=lambda pair: place[pair.prompt_id])
    comparisons = []
    for pair in different:
        p = rater.rate(prompt_of[pair.prompt_id], pair.a, pair.b)
        if p is not None and not (math.isfinite(p) and 0.0 <= p <= 1.0):
            raise ValueError(f"{rater_name} rated pair {pair.id} {p}, which is not a probability")
        comparisons.append(_helpfulness(pair, p, rater_name))
    unscored = sum(comparison.p_a_preferred is None for comparison in comparisons)
    return Rows(
        records=tuple(comparisons),
        dropped=+Counter({IDENTICAL: len(pairs) - len(different)}),
        noted=+Counter({"unscored: the rater cannot tell": unscored}),
    )


def _helpfulness(pair: Pair, p_a_preferred: float | None, rater: str) -> Comparison:
    """A pair with its label; None where the rater cannot tell."""
    return Comparison(
        id=pair.id,
        prompt_id=pair.prompt_id,
        a=pair.a,
        b=pair.b,
        p_a_preferred=p_a_preferred,
        unscored="the rater cannot tell" if p_a_preferred is None else None,
        rater=rater,
        objective="helpfulness",
        method=pair.source,
    )
