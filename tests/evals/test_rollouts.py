from __future__ import annotations

import pytest

from solon.evals.rollouts import rl_curve
from solon.records import PromptKind, Rollout


def rollout(name: str, step: int, score: float, kl: float, *, text: str = "x", prompt: str = "p") -> Rollout:
    return Rollout(
        id=name,
        prompt_id=prompt,
        step=step,
        text=text,
        tokens=4,
        finished=True,
        preference_score=score,
        kl=kl,
        advantage=0.0,
    )


KINDS: dict[str, PromptKind] = {"p": "harmful", "q": "benign"}


def test_worked_example_in_the_order_of_steps() -> None:
    rows = [rollout("c", 1, 5, 1), rollout("a", 0, 1, 2, text="y"), rollout("b", 0, 3, 4, prompt="q")]
    curve = rl_curve(rows, KINDS, kl_coefficient=0.1)
    assert curve is not None and [step.step for step in curve.steps] == [0, 1]
    first = curve.steps[0]
    assert first.reward.mean == pytest.approx(1.7)
    assert (first.kl.mean, first.preference_score.mean, first.n, first.distinct.rate) == (3.0, 2.0, 2, 1.0)
    assert first.score_by_kind == {"benign": 3.0, "harmful": 1.0}
    assert (first.score_spread, first.score_spread_within) == (1.0, 0.0)


def test_spread_within_prompts_worked_example() -> None:
    rows = [rollout(str(n), 0, score, 0, prompt=p) for n, (p, score) in enumerate([("p", 1), ("p", 3), ("q", 10)] * 2)]
    curve = rl_curve(rows, KINDS, kl_coefficient=0.0)
    assert curve is not None
    assert curve.steps[0].score_spread_within == pytest.approx(((1 + 1 + 1 + 1 + 0 + 0) / 6) ** 0.5)


def test_answers_to_one_prompt_are_not_independent() -> None:
    scores = [float(i // 8) for i in range(64)]
    together = rl_curve(
        [rollout(str(i), 0, s, s, prompt=f"p{i // 8}") for i, s in enumerate(scores)],
        {f"p{i}": "harmful" for i in range(8)},
        kl_coefficient=0.0,
    )
    apart = rl_curve(
        [rollout(str(i), 0, s, s, prompt=f"p{i}") for i, s in enumerate(scores)],
        {f"p{i}": "harmful" for i in range(64)},
        kl_coefficient=0.0,
    )
    assert together is not None and apart is not None
    for name in ("reward", "preference_score", "kl"):
        wide, narrow = getattr(together.steps[0], name), getattr(apart.steps[0], name)
        assert wide.high - wide.low > 2 * (narrow.high - narrow.low), name


def test_terms_have_means_and_intervals_and_none_where_the_reward_is_one_score() -> None:
    rows = [rollout(name, 0, 1.0, 0.0, prompt=name) for name in "pq"]
    plain = rl_curve(rows, KINDS, kl_coefficient=0.1)
    assert plain is not None and "terms" not in plain.steps[0].model_dump()
    scored = [row.model_copy(update={"terms": {"length": value}}) for row, value in zip(rows, (-4.0, 0.0), strict=True)]
    curve = rl_curve(scored, KINDS, kl_coefficient=0.1)
    assert curve is not None
    length = curve.steps[0].terms["length"]
    assert length.mean == -2.0 and length.low is not None and length.low < -2.0


def test_no_rollouts_no_curve() -> None:
    assert rl_curve([], {}, kl_coefficient=0.1) is None
