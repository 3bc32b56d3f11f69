"""The reward is the sum that it says it is, and each of its terms moves a tiny policy where it should."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import pytest
from transformers import PreTrainedModel

from feedback.fake_model import Fake, sampler
from solon.config.feedback import JudgeSection
from solon.config.training import RLSection
from solon.constitution.principles import Principle
from solon.feedback.judge import Judge
from solon.feedback.rows import Rows
from solon.lm.protocols import Completion, SampleRequest, Sampling, ScoreRequest
from solon.pipeline.learning import algorithm_of
from solon.prompting.comparison import comparison_format
from solon.prompting.dialogue import HumanAssistant
from solon.records import Comparison, Prompt, Rollout, Turn
from solon.train.rewards import Earned, OfAnswers, Reward, Score, Scores, Spread, Term, texts
from solon.train.rewards.judged import JudgeReward
from solon.train.rl import RLTrainStep, reinforce
from solon.train.rollouts import Environment, PolicyPrompt, RLModels, Sample
from train.keeping import Killed, MemoryCheckpoints, killer, same_bytes, train_context
from train.policies import small_policy
from train.sampling import NaiveSampler

PROMPTS = [PolicyPrompt(id=f"p{n}", text=f"{10 + n} 20") for n in range(6)]
GROUP = 8


# A policy over 24 tokens, and texts that it speaks.


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """Says a word, or a sentence, for every token."""

    sampler: NaiveSampler
    word: Callable[[int], str]

    def __call__(self, requests: Sequence[SampleRequest]) -> list[Completion]:
        answers = self.sampler(requests)
        return [replace(one, text=" ".join(map(self.word, one.answer_ids))) for one in answers]


def train(
    model: PreTrainedModel, reward: Reward, word: Callable[[int], str] = str, **changes: Any
) -> tuple[list[RLTrainStep], dict[int, list[Rollout]]]:
    """Twelve steps unless told otherwise: (records, rollouts by step)."""
    extra = {name: changes.pop(name) for name in ("checkpoints", "progress") if name in changes}
    new_tokens = changes.pop("max_new_tokens", 6)
    settings = {"steps": 12, "prompts_per_step": 4, "samples_per_prompt": GROUP, "batch_size": 32}
    settings |= {"kl_coefficient": 0.0, "learning_rate": 1e-2, "warmup_steps": 0, "checkpoint_steps": 3}
    section = RLSection.model_validate(settings | changes)
    speaker = Speaker(sampler=NaiveSampler(model=model, eos_id=0), word=word)
    environment = Environment(prompts=PROMPTS, sampler=speaker, reward=reward, max_new_tokens=new_tokens)
    models, rollouts = RLModels(policy=model, reference=deepcopy(model)), dict[int, list[Rollout]]()
    context = train_context(pad_id=1, **extra)
    steps = reinforce(algorithm_of("grpo"), models, environment, section, context, rollouts.__setitem__)
    return steps, rollouts


def share_of(token: int, *, scale: float = 1.0) -> Score:
    def share(samples: Sequence[Sample]) -> list[float]:
        return [scale * one.answer.answer_ids.count(token) / len(one.answer.answer_ids) for one in samples]

    return share


def each(score: Callable[[Sample], float]) -> Score:
    return lambda samples: [score(one) for one in samples]


def alone(score: Score, *, weight: float = 1.0, **more: Any) -> Reward:
    return Reward(terms=(Term(name="term", weight=weight, score=score, **more),))


# The sum.


def scoring(**scores: Scores) -> dict[str, Score]:
    return {name: lambda _, given=given: given for name, given in scores.items()}


SAMPLES: Any = ["one", "two"]
"""Whatever they are: the sum does not look at them."""


def test_worked_example_of_the_sum() -> None:
    score = scoring(model=[3.0, 1.0], length=[-5.0, 0.0])
    model = Term(name="model", weight=2.0, score=score["model"], standardized=True)
    reward = Reward(terms=(model, Term(name="length", weight=0.1, score=score["length"])))
    earned = reward(SAMPLES)
    assert earned.rewards == [1.5, -2.0]
    assert earned.terms == {"model": [3.0, 1.0], "length": [-5.0, 0.0]}
    assert earned.by_sample == [{"model": 3.0, "length": -5.0}, {"model": 1.0, "length": 0.0}]
    assert earned.spreads == {"model": Spread(mean=2.0, std=1.0), "length": Spread(mean=-2.5, std=2.5)}
    later = reward.after({"model": Spread(mean=1.0, std=4.0)})(SAMPLES)
    assert later.rewards == [2.0 * 0.5 - 0.5, 0.0]
    assert later.terms == earned.terms, "records hold what was scored"


def test_one_score_as_it_is_has_no_terms() -> None:
    assert Reward.of(lambda _: [0.1, 0.2])(SAMPLES) == Earned(rewards=[0.1, 0.2], terms={})
    for other in ({"weight": 2.0}, {"standardized": True}):
        assert alone(lambda _: [0.1, 0.2], **other)(SAMPLES).terms == {"term": [0.1, 0.2]}


def test_equal_scores_are_divided_by_nothing() -> None:
    even = alone(lambda _: [3.0, 3.0], standardized=True)
    assert even(SAMPLES).rewards == [0.0, 0.0]
    later = replace(even.terms[0], score=lambda _: [3.5, 3.0])
    assert Reward(terms=(later,)).after(even(SAMPLES).spreads)(SAMPLES).rewards == [0.5, 0.0]


def test_what_can_be_compared_between_steps_is_not_standardized_and_no_comparison() -> None:
    model = Term(name="model", weight=2.0, score=lambda _: [3.0, 1.0], standardized=True)
    judge = Term(name="judge", weight=5.0, score=lambda _: [0.75, 0.25], standardized=True, compares=True)
    assert Reward(terms=(model, judge)).absolute(SAMPLES).rewards == [6.0, 2.0]


def test_weights_of_standardized_scores_do_not_depend_on_their_scale() -> None:
    def earned(scale: float) -> Scores:
        score = scoring(a=[3.0 * scale + 7.0, 1.0 * scale + 7.0], b=[-1.0, 1.0])
        terms = tuple(Term(name=name, weight=1.0, score=one, standardized=True) for name, one in score.items())
        return Reward(terms=terms)(SAMPLES).rewards

    assert earned(1.0) == pytest.approx([0.0, 0.0], abs=1e-9)
    assert earned(1000.0) == pytest.approx([0.0, 0.0], abs=1e-9)


# The loop.


def test_a_default_reward_leaves_records_as_they_were_and_terms_are_kept_where_there_are_any() -> None:
    steps, rollouts = train(small_policy(), Reward.of(share_of(7)), steps=2)
    assert not any("terms" in row.model_dump() for row in (*steps, *rollouts[1]))
    two = (Term(name="a", weight=1.0, score=share_of(7)), Term(name="models.b", weight=0.5, score=share_of(8)))
    steps, rollouts = train(small_policy(), Reward(terms=two), steps=2)
    rows, step = rollouts[2], steps[1]
    assert set(step.terms) == set(rows[0].terms) == {"a", "models.b"}
    for row in rows:
        assert row.preference_score == pytest.approx(row.terms["a"] + 0.5 * row.terms["models.b"])
        ids = row.text.split()
        assert row.terms["a"] == ids.count("7") / len(ids)
    assert step.terms["a"].mean == pytest.approx(sum(row.terms["a"] for row in rows) / len(rows))
    assert step.reward_mean == pytest.approx(step.terms["a"].mean + 0.5 * step.terms["models.b"].mean)
    assert RLTrainStep.model_validate_json(step.model_dump_json()) == step
    assert Rollout.model_validate_json(rows[0].model_dump_json()) == rows[0]


@pytest.mark.parametrize(("standardized", "wanted"), [(True, 7), (False, 8)])
def test_of_two_models_the_heavier_wins_where_scores_are_standardized_else_the_louder(
    standardized: bool, wanted: int
) -> None:
    quiet, loud = share_of(7, scale=0.01), share_of(8, scale=100.0)
    terms = tuple(
        Term(name=name, weight=weight, score=score, standardized=standardized)
        for name, weight, score in (("quiet", 1.0, quiet), ("loud", 0.1, loud))
    )
    _, rollouts = train(small_policy(), Reward(terms=terms), group_epsilon=1e-3)
    said = Counter(token for row in rollouts[12] for token in row.text.split())
    assert said[str(wanted)] > 0.6 * said.total()


def test_scores_are_standardized_by_the_first_step_also_after_a_kill() -> None:
    reward = alone(share_of(7), weight=0.5, standardized=True)
    undisturbed, checkpoints = small_policy(), MemoryCheckpoints()
    want, rollouts = train(undisturbed, reward, steps=8)
    first = want[0].terms["term"]
    assert want[0].reward_mean == pytest.approx(0.0, abs=1e-6) and want[0].reward_std == pytest.approx(0.5)
    assert want[-1].reward_mean > 1.0
    for row in rollouts[8]:
        assert row.preference_score == pytest.approx(0.5 * (row.terms["term"] - first.mean) / first.std, abs=1e-5)
    with pytest.raises(Killed):
        train(small_policy(), reward, steps=8, checkpoints=checkpoints, progress=killer(5))
    resumed = small_policy()
    got, _ = train(resumed, reward, steps=8, checkpoints=checkpoints)
    assert got == want and same_bytes(resumed, undisturbed)


# Each term moves the policy, and the other way round if its sign is turned.


def _spoken(low: str, high: str, border: int = 12) -> Callable[[int], str]:
    return lambda token: low if token < border else high


def _openings(samples: Sequence[Sample]) -> list[float]:
    return texts.openings([one.answer.text for one in samples], [one.prompt.id for one in samples])


TERMS: dict[str, tuple[Score, Callable[[int], str], dict[str, Any]]] = {
    "a soft limit": (each(lambda one: texts.length(one.answer.tokens, 0, 3)), str, {"max_new_tokens": 8}),
    "repetition": (each(lambda one: texts.repetition(one.answer.text)), _spoken("on", "off"), {"max_new_tokens": 12}),
    "openings": (_openings, _spoken("sure", "well", 20), {}),
    "preaching": (each(lambda one: texts.preaching(one.answer.text)), _spoken("Shame on you!", "Water it."), {}),
    "bare refusals": (
        each(lambda one: texts.evasiveness(one.answer.text, "harmful")),
        _spoken("I can't help with that.", "It is harmful."),
        {},
    ),
    "needless refusals": (
        each(lambda one: texts.evasiveness(one.answer.text, "benign")),
        _spoken("I can't help with that.", "Water it."),
        {},
    ),
}


@pytest.mark.parametrize("name", TERMS)
def test_a_policy_learns_to_avoid_what_a_term_costs(name: str) -> None:
    score, word, changes = TERMS[name]
    steps, _ = train(small_policy(), alone(score, weight=2.0), word, **changes)
    cost = [-step.terms["term"].mean for step in steps]
    assert cost[0] > 0.04
    assert sum(cost[-2:]) / 2 < 0.65 * sum(cost[:2]) / 2, cost


def test_a_target_is_missed_from_both_sides() -> None:
    short, long = (
        train(small_policy(), alone(each(lambda it, at=at: texts.length(it.answer.tokens, at, at))), max_new_tokens=12)[
            0
        ]
        for at in (2, 11)
    )
    assert short[-1].answer_tokens < short[0].answer_tokens - 2 < long[-1].answer_tokens
    assert long[-1].answer_tokens > long[0].answer_tokens


# The judge.

ASKED = {one.id: Prompt(id=one.id, kind="harmful", turns=(Turn(role="human", text=one.text),)) for one in PROMPTS}
QUESTION = "Which response says seven more often?"


def judge_reward(scores: Callable[[ScoreRequest], tuple[float, ...]], heard: Any = lambda rows: None) -> JudgeReward:
    return JudgeReward(
        judge=Judge(
            sampler=sampler(Fake(scores=scores), Sampling(), "rl"),
            format=comparison_format(HumanAssistant()),
            principles=[Principle(id="seven", title="Seven", comparison_question=QUESTION)],
            section=JudgeSection(orders="random"),
        ),
        prompts=ASKED,
        begins=2,
        heard=heard,
    )


def prefers_sevens(request: ScoreRequest) -> tuple[float, float]:
    """By how many more there are."""
    assert QUESTION in request.prompt
    found = re.search(r"\n \(A\) (.*)\n \(B\) (.*)\n", request.prompt)
    assert found, request.prompt
    first, second = (len(re.findall(r"\b7\b", text)) for text in found.groups())
    return (-1.0, -1.0 - (first - second)) if first >= second else (-1.0 - (second - first), -1.0)


def test_a_policy_learns_what_the_judge_prefers_without_a_preference_model() -> None:
    heard = list[Rows[Comparison]]()
    reward = alone(judge_reward(prefers_sevens, heard.append), standardized=True)
    steps, rollouts = train(small_policy(), reward)

    def sevens(step: int) -> float:
        said = [token for row in rollouts[step] for token in row.text.split()]
        return said.count("7") / len(said)

    assert sevens(1) < 0.2 and sevens(12) > 0.6
    assert all(step.terms["term"].mean == pytest.approx(0.5) for step in steps), "what one wins another loses"
    ids = {row.id for rows in heard for row in rows.records}
    assert len(heard) == 12 and "rl-1-0-0:rl-1-0-1" in ids
    assert len(ids) == sum(len(rows.records) for rows in heard), "no two steps ask the same"


def test_of_a_judge_that_says_nothing_nothing_is_learned() -> None:
    heard = list[Rows[Comparison]]()
    reward = alone(judge_reward(lambda request: (float("nan"), -1.0), heard.append), standardized=True)
    model = small_policy()
    train(model, reward, steps=2)
    assert same_bytes(model, small_policy())
    unscored = sum(rows.noted["unscored: no probabilities"] for rows in heard)
    assert unscored == sum(len(rows.records) for rows in heard) > 0


def test_a_policy_learns_from_the_verdicts_that_can_be_read() -> None:
    def half(request: ScoreRequest) -> tuple[float, float]:
        return prefers_sevens(request) if len(request.prompt) % 2 else (float("nan"), -1.0)

    _, rollouts = train(small_policy(), alone(judge_reward(half), standardized=True))
    said = [token for row in rollouts[12] for token in row.text.split()]
    assert said.count("7") > 0.5 * len(said)


def test_a_score_of_answers_reads_prompts_and_answers() -> None:
    prompt, answer = PROMPTS[0], Completion(prompt="", text="x", tokens=1, ended="eos")
    score = OfAnswers(lambda prompts, answers: [float(prompts[0].id == "p0" and answers[0].text == "x")])
    assert score([Sample(id="rl-1-0-0", prompt=prompt, answer=answer)]) == [1.0]
