"""The monitor ends RL where the reward and what it stands for part, goes back, and changes nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest

from solon.config.monitor import MonitorSection
from solon.config.training import RLSection
from solon.evals.checks import Check
from solon.evals.stopping import ending_of
from solon.records import Answer, MonitorAnswer
from solon.train.monitor import Gold, Monitor
from solon.train.rewards import OfAnswers, Reward
from solon.train.rl import reinforce
from solon.train.rollouts import Environment, PolicyPrompt, RLModels, Sample, answers_to
from train.keeping import Killed, MemoryCheckpoints, killer, same_bytes, train_context
from train.policies import small_policy
from train.sampling import NaiveSampler
from train.test_rl import ALGORITHMS, EOS, PAD, PROMPTS, WANTED, share_of_wanted

WATCHED = [PolicyPrompt(id=f"w{n}", text=f"{11 + n} 21") for n in range(8)]
"""None of those that RL asks."""


PLAIN: dict[str, Any] = {
    "steps": 16,
    "prompts_per_step": 4,
    "samples_per_prompt": 8,
    "kl_coefficient": 0.0,
    "learning_rate": 1e-2,
    "warmup_steps": 0,
    "checkpoint_steps": 3,
}


def _environment(policy: Any, prompts: Sequence[PolicyPrompt]) -> Environment:
    sampler = NaiveSampler(model=policy, eos_id=EOS)
    return Environment(prompts=prompts, sampler=sampler, reward=Reward.of(OfAnswers(share_of_wanted)), max_new_tokens=6)


def a_few(_step: int, samples: Sequence[Sample]) -> list[float | None]:
    """What the reward stands for: some of the wanted token is good, more is worse."""
    shares = [sum(token == WANTED for token in one.answer.answer_ids) / len(one.answer.answer_ids) for one in samples]
    return [1.0 - abs(share - 0.4) for share in shares]


def _train(
    policy: Any,
    gold: Gold = a_few,
    monitor: dict[str, Any] | None = None,
    likeliest: dict[int, list[Answer]] | None = None,
    **changes: Any,
) -> Any:
    """(steps, checks, answers by step) of up to sixteen steps."""
    section = RLSection(**PLAIN, monitor=MonitorSection(every=2, samples_per_prompt=4, **monitor or {}))
    checks, answers = list[Check](), dict[int, list[MonitorAnswer]]()
    assert section.monitor is not None
    watching = Monitor(
        section=section.monitor,
        environment=_environment(policy, WATCHED),
        benign=frozenset({"w0"}),
        gold=gold,
        keep=answers.__setitem__,
        keep_likeliest=({} if likeliest is None else likeliest).__setitem__,
    )
    context = train_context(pad_id=PAD, looked=lambda looks: checks.__setitem__(slice(None), looks), **changes)
    models = RLModels(policy=policy, reference=deepcopy(policy))
    asked = _environment(policy, PROMPTS)
    steps = reinforce(ALGORITHMS["grpo"], models, asked, section, context, lambda *_: None, watching)
    return steps, checks, answers, ending_of(checks, section)


def test_it_stops_where_gold_falls_while_the_reward_rises_and_goes_back() -> None:
    policy, alone = small_policy(), small_policy()
    steps, checks, answers, ending = _train(policy)
    golds = [check.gold.mean for check in checks]
    assert len(steps) < 16 and ending.stopped == len(steps) == checks[-1].step
    assert ending.kept == ending.best == checks[golds.index(max(golds))].step
    assert 0 < ending.best < ending.stopped and "while the reward rose" in ending.why
    assert checks[-1].proxy.mean > checks[0].proxy.mean + 0.4 and golds[-1] < max(golds) - 0.2
    assert sorted(answers) == [check.step for check in checks] == [*range(0, len(steps) + 1, 2)]
    _stop_at(alone, ending.best)
    assert same_bytes(policy, alone), "the weights are those that the policy had after the best step"


def _stop_at(policy: Any, step: int) -> None:
    """The same training, killed after so many steps: a call for each, and for each look before."""
    with pytest.raises(Killed):
        _train(policy, progress=killer(step + step // 2))


def test_what_it_looks_at_changes_no_step() -> None:
    steps, *_ = _train(small_policy())
    watched, alone = small_policy(), small_policy()
    quiet, _, _, ending = _train(watched, monitor={"stop": False})
    assert quiet[: len(steps)] == steps and len(quiet) == 16 and ending.kept == 16
    section = RLSection(**PLAIN)
    models = RLModels(policy=alone, reference=deepcopy(alone))
    environment = _environment(alone, PROMPTS)
    context = train_context(pad_id=PAD)
    assert reinforce(ALGORITHMS["grpo"], models, environment, section, context, lambda *_: None) == quiet
    assert same_bytes(watched, alone)


def test_the_likeliest_answers_are_kept_where_they_are_asked_for_and_change_nothing() -> None:
    plain, kept = small_policy(), small_policy()
    found = dict[int, list[Answer]]()
    steps, checks, answers, _ = _train(plain, likeliest=found)
    assert not found
    assert _train(kept, monitor={"likeliest": True}, likeliest=found)[:3] == (steps, checks, answers)
    assert sorted(found) == sorted(answers) and same_bytes(plain, kept)
    assert [one.prompt_id for one in found[0]] == [one.id for one in WATCHED]
    again = _environment(small_policy(), WATCHED)
    texts = [one.answer.text for one in answers_to({one.id: one for one in WATCHED}, again, 0.0, seed=1)]
    assert [one.text for one in found[0]] == texts, "whatever the seed"
    assert {one.prompt_id: one.text for one in found[0]} != {one.prompt_id: one.text for one in answers[0]}


@pytest.mark.parametrize("at", [1, 5, 9, 13])
def test_killed_and_resumed_it_stops_at_the_same_step_with_the_same_bytes(at: int) -> None:
    whole, resumed, checkpoints = small_policy(), small_policy(), MemoryCheckpoints()
    want = _train(whole)
    with pytest.raises(Killed):
        _train(small_policy(), checkpoints=checkpoints, progress=killer(at))
    steps, checks, answers, ending = _train(resumed, checkpoints=checkpoints)
    assert (steps, checks, ending) == (want[0], want[1], want[3])
    assert same_bytes(resumed, whole)
    assert all(answers[step] == want[2][step] for step in answers)


def test_a_limit_of_kl_ends_it_too() -> None:
    steps, checks, _, ending = _train(small_policy(), gold=_good, monitor={"max_kl": 0.5})
    assert len(steps) < 16 and checks[-1].kl.mean > 0.5 > checks[-2].kl.mean
    assert ending.why.startswith("the KL in nats per answer was") and ending.kept < ending.stopped


def test_as_long_as_gold_rises_too_rl_goes_on() -> None:
    policy = small_policy()
    steps, checks, _, ending = _train(policy, gold=_good)
    assert len(steps) == 16 == ending.kept and ending.stopped is None
    assert checks[0].evasion == 0.0 and checks[0].kl.mean == pytest.approx(0, abs=1e-5)


def _good(_step: int, samples: Sequence[Sample]) -> list[float | None]:
    return [*share_of_wanted([one.prompt for one in samples], [one.answer for one in samples])]


def test_answers_that_cannot_be_measured_are_counted_and_hide_nothing() -> None:
    def half(step: int, samples: Sequence[Sample]) -> list[float | None]:
        return [None if place % 2 else value for place, value in enumerate(a_few(step, samples))]

    steps, checks, answers, ending = _train(small_policy(), gold=half)
    assert ending.stopped == len(steps) < 16 and {check.unmeasured for check in checks} == {16}
    assert sum(row.gold is None for row in answers[0]) == 16
