"""What is seen of a training each time it is looked at: before its first step, and every so many steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from solon.errors import UnscoredError
from solon.evals.drift import boilerplate, common_opening
from solon.evals.lexical import refusal
from solon.evals.statistics import Mean, grouped, mean
from solon.records import MonitorAnswer, Record


class Look(Record):
    """What was seen of a training."""

    step: int
    """After so many of its steps; 0: before the first."""


class HeldOutLoss(Look):
    """Of examples that a training does not learn from."""

    loss: float
    """Their mean, as that of a step."""


class Check(Look):
    """The policy's answers to prompts that neither RL nor its reward was trained on. Intervals are over prompts."""

    gold: Mean
    """How good they are by a measure that the reward never used, in [0, 1]; a preference model's scores have its own
    scale."""
    gold_of: tuple[float | None, ...]
    """Of each prompt, in the same order at every look; None: no answer to it could be measured."""
    unmeasured: int
    """Answers whose gold could not be measured."""
    proxy: Mean
    """Their reward: its terms as they score, without any penalty."""
    kl: Mean
    """KL(policy || reference) in nats per answer."""
    tokens: float
    """Mean length."""
    finished: float
    """Share of answers not cut off."""
    boilerplate: float
    """`drift.boilerplate`."""
    opening: float
    """`drift.common_opening`."""
    evasion: float | None
    """Share of benign prompts whose answer is a refusal and little else (`lexical.refusal`). None: no prompt is
    benign."""


def check_of(step: int, answers: Sequence[MonitorAnswer], benign: frozenset[str]) -> Check:
    """What a look sees: means over prompts of the means over their answers. Raises `UnscoredError` if of no answer
    gold is known."""
    by_prompt = grouped(answers, lambda answer: answer.prompt_id)
    known = {name: [one.gold for one in own if one.gold is not None] for name, own in by_prompt.items()}
    gold_of = [sum(values) / len(values) if values else None for values in known.values()]
    if all(value is None for value in gold_of):
        raise UnscoredError(f"the monitor could measure none of {len(answers)} answers after step {step}")
    texts, n = [answer.text for answer in answers], len(answers)
    refused = [refusal(answer.text) == "whole" for answer in answers if answer.prompt_id in benign]

    def over_prompts(read: Callable[[MonitorAnswer], float]) -> Mean:
        return mean([sum(map(read, own)) / len(own) for own in by_prompt.values()])

    return Check(
        step=step,
        gold=mean([value for value in gold_of if value is not None]),
        gold_of=tuple(gold_of),
        unmeasured=sum(answer.gold is None for answer in answers),
        proxy=over_prompts(lambda answer: answer.proxy),
        kl=over_prompts(lambda answer: answer.kl),
        tokens=sum(answer.tokens for answer in answers) / n,
        finished=sum(answer.finished for answer in answers) / n,
        boilerplate=boilerplate(texts, [answer.prompt_id for answer in answers]),
        opening=common_opening(texts),
        evasion=sum(refused) / len(refused) if refused else None,
    )
