"""RL raises a known reward, stays near its reference, is reproducible and resumes to the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from math import log
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel

from solon.artifacts.checkpoint import Checkpoints
from solon.artifacts.manifest import Tally
from solon.config.training import ALGORITHMS as NAMES
from solon.config.training import RLSection
from solon.lm.engines.local import LocalModel
from solon.lm.protocols import Completion, SampleRequest
from solon.models.heads import ValueModel
from solon.models.load import load_model
from solon.pipeline.learning import algorithm_of
from solon.records import Rollout
from solon.train.algorithms import UpdateTokens, grpo
from solon.train.kl_control import next_kl_coefficient
from solon.train.losses import SumAndWeight, token_logprobs
from solon.train.rewards import OfAnswers, Reward
from solon.train.rl import RLTrainStep, reinforce
from solon.train.rollouts import (
    Environment,
    PolicyPrompt,
    RLModels,
    TokenModels,
    draw_prompts,
    sample_rollouts,
    score_tokens,
)
from tiny_models import tiny_model_folder
from train.keeping import Killed, MemoryCheckpoints, killer, same_bytes, train_context
from train.policies import small_policy
from train.sampling import NaiveSampler

EOS, PAD, WANTED = 0, 1, 7
ALGORITHMS = {name: algorithm_of(name) for name in NAMES}
"""All there are: a new one is held to what holds for each."""
PENALIZED = [*((name, "reward") for name in ALGORITHMS), ("grpo", "loss")]
"""Where each pays for the KL; the term of the loss is the same for all."""
PROMPTS = [PolicyPrompt(id=f"p{n}", text=f"{10 + n} 20") for n in range(6)]


def _values() -> ValueModel:
    return ValueModel(small_policy(seed=3))


def share_of_wanted(_prompts: Sequence[PolicyPrompt], answers: Sequence[Completion]) -> list[float]:
    return [sum(token == WANTED for token in answer.answer_ids) / len(answer.answer_ids) for answer in answers]


def _train(policy: PreTrainedModel, **changes: Any) -> tuple[list[RLTrainStep], dict[int, list[Rollout]]]:
    """Twelve steps of RL unless told otherwise: (records, rollouts by step)."""
    extra = {name: changes.pop(name) for name in ("checkpoints", "progress", "dtype") if name in changes}
    reward = changes.pop("reward_model", share_of_wanted)
    values, reference = changes.pop("value_model", None) or _values(), changes.pop("reference", None)
    settings: dict[str, Any] = {
        "algorithm": "grpo",
        "steps": 12,
        "prompts_per_step": 4,
        "samples_per_prompt": 8,
        "batch_size": 32,
        "kl_coefficient": 0.0,
        "learning_rate": 1e-2,
        "warmup_steps": 0,
        "checkpoint_steps": 3,
    }
    section = RLSection.model_validate(settings | changes)
    reference = reference or deepcopy(policy)
    environment = Environment(
        prompts=PROMPTS,
        sampler=NaiveSampler(model=policy, eos_id=EOS),
        reward=Reward.of(OfAnswers(reward)),
        max_new_tokens=6,
    )
    algorithm = ALGORITHMS[section.algorithm]
    models = RLModels(policy=policy, reference=reference, value_model=values if algorithm.VALUE_MODEL else None)
    rollouts: dict[int, list[Rollout]] = {}
    context = train_context(pad_id=PAD, **extra)
    steps = reinforce(algorithm, models, environment, section, context, rollouts.__setitem__)
    return steps, rollouts


@pytest.mark.parametrize("updates", [{}, {"epochs": 2, "batch_size": 16}], ids=["one-update", "four-updates"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_it_raises_a_known_reward_and_sees_its_own_new_weights(algorithm: str, updates: dict[str, int]) -> None:
    steps, _ = _train(small_policy(), algorithm=algorithm, **updates)
    assert steps[0].reward_mean < 0.2
    assert steps[-1].reward_mean > 0.7
    assert steps[0].kl == 0 < steps[-1].kl
    assert steps[-1].distinct < steps[0].distinct


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_opposite_reward_makes_the_opposite_policy(algorithm: str) -> None:
    def unwanted(prompts: Sequence[PolicyPrompt], answers: Sequence[Completion]) -> list[float]:
        return [1 - share for share in share_of_wanted(prompts, answers)]

    policy = small_policy()
    before = _wanted_probability(policy)
    _train(policy, algorithm=algorithm, reward_model=unwanted)
    assert _wanted_probability(policy) < 0.3 * before


def test_the_value_model_has_a_learning_rate_of_its_own() -> None:
    models = RLModels(policy=small_policy(), reference=small_policy(), value_model=_values())
    for section, rates in (
        (RLSection(learning_rate=1e-3, value_learning_rate=1e-2), [1e-3, 1e-2]),
        (RLSection(learning_rate=1e-3), [1e-3, 1e-3]),
    ):
        assert [section.learning_rate_of(name) for name in models.learning] == rates


def _wanted_probability(policy: PreTrainedModel) -> float:
    with torch.no_grad():
        logits_BTV = policy(torch.tensor([[int(word) for word in prompt.text.split()] for prompt in PROMPTS])).logits
    return float(logits_BTV[:, -1].softmax(-1)[:, WANTED].mean())


@pytest.mark.parametrize(("algorithm", "kl_in"), PENALIZED)
def test_a_kl_penalty_keeps_the_policy_near_its_reference(algorithm: str, kl_in: str) -> None:
    free, _ = _train(small_policy(), algorithm=algorithm, kl_coefficient=0.0)
    held, _ = _train(small_policy(), algorithm=algorithm, kl_coefficient=1.0, kl_in=kl_in)
    assert held[-1].kl < 0.3 * free[-1].kl


@pytest.mark.parametrize(("algorithm", "kl_in"), PENALIZED)
def test_with_nothing_to_earn_the_policy_goes_to_its_reference(algorithm: str, kl_in: str) -> None:
    changes = {"reward_model": even, "reference": small_policy(seed=2), "kl_coefficient": 1.0, "kl_in": kl_in}
    _, rollouts = _train(small_policy(), algorithm=algorithm, **changes)
    first, *_, last = (sum(row.kl for row in rows) / len(rows) for rows in rollouts.values())
    assert last < 0.8 * first


def test_ppo_scales_what_the_reward_pays_and_not_a_term_of_its_loss() -> None:
    """Whitened advantages leave the same coefficient next to nothing to hold."""
    last = {
        kl_in: _train(small_policy(), algorithm="ppo", kl_coefficient=0.3, kl_in=kl_in)[0][-1].kl
        for kl_in in ("reward", "loss")
    }
    assert last["reward"] < 0.5 * last["loss"]


def test_the_coefficient_goes_after_the_kl_and_a_resumed_run_goes_on_with_its_own() -> None:
    changes: dict[str, Any] = {"steps": 8, "kl_coefficient": 0.1, "kl_target": 0.5}
    whole, checkpoints = small_policy(), MemoryCheckpoints()
    want, _ = _train(whole, **changes)
    assert want[0].kl_coefficient == 0.1 > want[1].kl_coefficient
    assert want[-1].kl_coefficient > want[-2].kl_coefficient
    for before, after in pairwise(want):
        assert after.kl_coefficient == next_kl_coefficient(before.kl_coefficient, before.kl, target=0.5)
    with pytest.raises(Killed):
        _train(small_policy(), **changes, checkpoints=checkpoints, progress=killer(8))
    resumed = small_policy()
    got, _ = _train(resumed, **changes, checkpoints=checkpoints)
    assert got == want and same_bytes(resumed, whole)


def test_the_coefficient_in_force_is_the_one_that_counts() -> None:
    """A target that every KL is above, and one that none is: only from the third step on does a step differ."""
    one, other = (_train(small_policy(), steps=3, kl_coefficient=1.0, kl_target=target)[0] for target in (1e-3, 1e3))
    assert [a.kl_coefficient == b.kl_coefficient for a, b in zip(one, other, strict=True)] == [True, True, False]
    assert one[1].loss == other[1].loss and one[2].loss != other[2].loss


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("at", [3, 4, 8])
def test_killed_and_resumed_ends_with_the_bytes_of_an_undisturbed_run(algorithm: str, at: int) -> None:
    undisturbed, checkpoints = small_policy(), MemoryCheckpoints()
    want, all_rollouts = _train(undisturbed, algorithm=algorithm, steps=8)
    with pytest.raises(Killed):
        _train(small_policy(), algorithm=algorithm, steps=8, checkpoints=checkpoints, progress=killer(at))
    resumed = small_policy()
    got, rollouts = _train(resumed, algorithm=algorithm, steps=8, checkpoints=checkpoints)
    assert got == want and same_bytes(resumed, undisturbed)
    first = (at - 1) // 3 * 3 + 1
    assert rollouts == {step: rows for step, rows in all_rollouts.items() if step >= first}


def test_micro_batches_change_nothing_but_rounding() -> None:
    one, _ = _train(small_policy(), steps=3, learning_rate=1e-3)
    other, _ = _train(small_policy(), steps=3, learning_rate=1e-3, micro_batch_tokens=20)
    for a, b in zip(one, other, strict=True):
        assert a.model_dump() == pytest.approx(b.model_dump(), rel=1e-3, abs=1e-4)


def test_rollouts_carry_what_they_earned() -> None:
    steps, rollouts = _train(small_policy(), steps=2)
    rows = rollouts[2]
    assert [row.id for row in rows[:2]] == ["rl-2-0-0", "rl-2-0-1"]
    assert sum(row.preference_score for row in rows) / len(rows) == pytest.approx(steps[1].reward_mean)
    assert sum(row.tokens for row in rows) == steps[1].tokens
    assert sum(row.finished for row in rows) / len(rows) == steps[1].finished
    for start in range(0, len(rows), 8):
        group = rows[start : start + 8]
        assert len({row.prompt_id for row in group}) == 1
        best = max(group, key=lambda row: row.preference_score)
        assert best.advantage == max(row.advantage for row in group) >= 0
        assert sum(row.advantage for row in group) == pytest.approx(0, abs=1e-4)


def even(_prompts: object, answers: Sequence[Completion]) -> list[float]:
    return [0.0] * len(answers)


def test_an_answer_cut_off_is_scored_as_it_is_unless_a_penalty_is_asked_for() -> None:
    policy, learnt = small_policy(), small_policy()
    without, _ = _train(policy, reward_model=even, steps=6)
    penalised, rollouts = _train(learnt, reward_model=even, steps=6, unfinished_penalty=1.0)
    assert same_bytes(policy, small_policy()), "equal rewards teach nothing"
    assert penalised[-1].finished > without[-1].finished + 0.3
    assert {row.preference_score for row in rollouts[1]} == {0.0}, "the recorded score is without the penalty"


@pytest.mark.parametrize("policy_asked", [True, False])
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_token_scores_are_those_of_the_policy_that_wrote(temperature: float, policy_asked: bool) -> None:
    policy, reference = small_policy(), small_policy(seed=2)
    sampler = NaiveSampler(model=policy, eos_id=EOS)
    environment = Environment(
        prompts=PROMPTS, sampler=sampler, reward=Reward.of(OfAnswers(share_of_wanted)), max_new_tokens=6
    )
    section = RLSection(samples_per_prompt=3, temperature=temperature, micro_batch_tokens=16)
    samples = sample_rollouts(environment, PROMPTS[:2], section, step=1, seed=0)
    models = TokenModels(RLModels(policy=policy, reference=reference), section, train_context(pad_id=PAD))
    scores = score_tokens(models, samples, section, policy=policy_asked)
    for row, sample in enumerate(samples):
        ids = torch.tensor([[*sample.answer.prompt_ids, *sample.answer.answer_ids]])
        answer = ids[0, 2:]
        with torch.no_grad():
            logp = token_logprobs(policy(ids).logits[0, 1:-1] / temperature, answer)
            ref_logp = token_logprobs(reference(ids).logits[0, 1:-1] / temperature, answer)
        mask = scores.loss_mask_BT[row]
        torch.testing.assert_close(scores.logp_BT[row][mask], logp, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(scores.ref_logp_BT[row][mask], ref_logp, atol=1e-5, rtol=1e-4)
        assert (scores.logp_BT[row][~mask] == 0).all() and (scores.ref_logp_BT[row][~mask] == 0).all()


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_drawn_old_and_new_log_probabilities_are_of_one_distribution(tmp_path: Path, temperature: float) -> None:
    """softmax(logits / temperature), whole: what the engine drew from, what the step scored, and what the first update
    starts from."""
    loaded = load_model(tiny_model_folder(tmp_path), dtype=torch.float32, device=torch.device("cpu"))
    engine, drawn, first = LocalModel(loaded), list[Completion](), list[UpdateTokens]()

    def sampler(requests: Sequence[SampleRequest]) -> list[Completion]:
        drawn.extend(engine.sample(requests))
        return drawn

    def loss(tokens: UpdateTokens, section: RLSection) -> SumAndWeight:
        first.append(tokens)
        return grpo.loss(tokens, section)

    algorithm: Any = SimpleNamespace(VALUE_MODEL=False, advantages=grpo.advantages, loss=loss)
    environment = Environment(
        prompts=PROMPTS, sampler=sampler, reward=Reward.of(OfAnswers(share_of_wanted)), max_new_tokens=6
    )
    section = RLSection(steps=1, prompts_per_step=2, samples_per_prompt=3, batch_size=6, temperature=temperature)
    models = RLModels(policy=loaded.model, reference=deepcopy(loaded.model))
    reinforce(algorithm, models, environment, section, train_context(pad_id=PAD), lambda number, rows: None)
    (tokens,) = first
    old = [logprob for answer in drawn for logprob in answer.logprobs]
    torch.testing.assert_close(tokens.logp_N, tokens.old_logp_N)
    torch.testing.assert_close(tokens.ref_logp_N, tokens.old_logp_N)
    torch.testing.assert_close(sorted(tokens.old_logp_N.tolist()), sorted(old), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("named", ["local", "vllm"])
@pytest.mark.parametrize(("said", "weight"), [(log(2), 0.5), (-log(4), 2.0)])
def test_tokens_that_the_sampler_draws_more_often_than_the_policy_count_less(
    tmp_path: Path, said: float, weight: float, named: str
) -> None:
    """The sampler says so much more of each token than it should; the weight is capped at 2. If it is vLLM, the policy
    itself says how far it is from the reference, which it is at first."""
    loaded, found = load_model(tiny_model_folder(tmp_path), dtype=torch.float32, device="cpu"), list[UpdateTokens]()
    engine = LocalModel(loaded)

    def sampler(requests: Sequence[SampleRequest]) -> list[Completion]:
        drawn = engine.sample(requests)
        return [replace(one, logprobs=tuple(logprob + said for logprob in one.logprobs)) for one in drawn]

    def loss(tokens: UpdateTokens, section: RLSection) -> SumAndWeight:
        found.append(tokens)
        return grpo.loss(tokens, section)

    algorithm: Any = SimpleNamespace(VALUE_MODEL=False, advantages=grpo.advantages, loss=loss)
    environment = Environment(
        prompts=PROMPTS, sampler=sampler, reward=Reward.of(OfAnswers(share_of_wanted)), max_new_tokens=6
    )
    section = RLSection(steps=1, prompts_per_step=2, samples_per_prompt=3, batch_size=6, sampler=named)
    models = RLModels(policy=loaded.model, reference=deepcopy(loaded.model))
    (step,) = reinforce(algorithm, models, environment, section, train_context(pad_id=PAD), lambda number, rows: None)
    (tokens,) = found
    assert tokens.weight_N is not None
    torch.testing.assert_close(tokens.weight_N, torch.full_like(tokens.weight_N, weight), atol=1e-4, rtol=1e-4)
    assert step.sampler_gap == pytest.approx(abs(said), abs=1e-4)
    assert (step.kl < 1e-6) == (named == "vllm")
    assert step.clip_fraction == 0


def test_with_several_updates_a_step_the_ratio_is_to_the_policy_before_them() -> None:
    one, _ = _train(small_policy(), steps=3, learning_rate=5e-2)
    several, _ = _train(small_policy(), steps=3, learning_rate=5e-2, epochs=2, batch_size=16)
    assert not any(step.clip_fraction for step in one) and any(step.clip_fraction for step in several)


def test_every_prompt_is_drawn_once_before_any_comes_again() -> None:
    drawn = [prompt.id for step in range(1, 7) for prompt in draw_prompts(PROMPTS, step, 4, seed=0)]
    for start in range(0, 24, 6):
        assert sorted(drawn[start : start + 6]) == [prompt.id for prompt in PROMPTS]
    assert drawn[:6] != drawn[6:12]


def test_samples_of_one_prompt_differ_and_those_of_a_step_come_again() -> None:
    sampler = NaiveSampler(model=small_policy(), eos_id=EOS)
    environment = Environment(
        prompts=PROMPTS, sampler=sampler, reward=Reward.of(OfAnswers(share_of_wanted)), max_new_tokens=6
    )

    def answers(step: int) -> list[Any]:
        section = RLSection(samples_per_prompt=4)
        samples = sample_rollouts(environment, PROMPTS[:1], section, step=step, seed=0)
        return [sample.answer for sample in samples]

    one, again, later = answers(1), answers(1), answers(2)
    assert one == again != later
    assert len({answer.answer_ids for answer in one}) == 4


def test_bfloat16_also_raises_the_reward() -> None:
    steps, _ = _train(small_policy(), dtype=torch.bfloat16)
    assert steps[0].kl == 0 and steps[-1].reward_mean > 0.8


@pytest.mark.parametrize("algorithm", ["ppo", "reinforce_pp"])
def test_these_take_one_answer_per_prompt(algorithm: str) -> None:
    _train(small_policy(), algorithm=algorithm, samples_per_prompt=1, steps=1)


def share_of_lower(_prompts: object, answers: Sequence[Completion]) -> list[float]:
    return [sum(token < 192 for token in answer.answer_ids) / len(answer.answer_ids) for answer in answers]


def test_with_the_in_process_engine_as_sampler_and_checkpoints_on_disk(tmp_path: Path) -> None:
    """Reward: the share of tokens from the lower half of the vocabulary, which chance gives one half."""

    def train(checkpoints: Checkpoints, progress: Any = print) -> tuple[list[RLTrainStep], PreTrainedModel]:
        loaded = load_model(folder, dtype=torch.float32, device="cpu")
        engine = LocalModel(loaded)
        environment = Environment(
            prompts=[PolicyPrompt(id=f"p{n}", text=f"\n\nHuman: {n}\n\nAssistant:") for n in range(4)],
            sampler=engine.sample,
            reward=Reward.of(OfAnswers(share_of_lower)),
            max_new_tokens=6,
        )
        section = RLSection(
            steps=16,
            prompts_per_step=4,
            samples_per_prompt=8,
            batch_size=32,
            kl_coefficient=0.01,
            learning_rate=2e-2,
            warmup_steps=0,
            checkpoint_steps=3,
        )
        models = RLModels(policy=loaded.model, reference=deepcopy(loaded.model))
        context = train_context(pad_id=PAD, checkpoints=checkpoints, progress=progress)
        return reinforce(grpo, models, environment, section, context, lambda _step, _rows: None), loaded.model

    def on_disk(name: str) -> Checkpoints:
        return Checkpoints(tmp_path / name, run=tmp_path, tally=Tally(), committed=lambda: None)

    folder = tiny_model_folder(tmp_path)
    want, undisturbed = train(on_disk("whole"))
    assert want[0].reward_mean < 0.7 and want[-1].reward_mean > 0.85
    with pytest.raises(Killed):
        train(on_disk("killed"), progress=killer(5))
    got, resumed = train(on_disk("killed"))
    assert got == want and same_bytes(resumed, undisturbed)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_first_update_is_on_policy_at_any_temperature(algorithm: str) -> None:
    for temperature in (0.5, 2.0):
        steps, _ = _train(small_policy(), algorithm=algorithm, steps=1, temperature=temperature)
        assert steps[0].clip_fraction == 0 and steps[0].kl == 0


def test_the_recorded_loss_is_the_mean_over_sampled_tokens() -> None:
    steps, rollouts = _train(
        small_policy(), steps=1, kl_coefficient=0.1
    )  # policy = reference: no KL yet, every ratio is 1
    total = sum(row.advantage * row.tokens for row in rollouts[1])
    assert steps[0].loss == pytest.approx(-total / steps[0].tokens, abs=1e-6)
    assert abs(total) > 0.1


def test_the_value_model_learns_what_answers_earn() -> None:
    values = _values()

    def one(_prompts: object, answers: Sequence[Completion]) -> list[float]:
        return [1.0] * len(answers)

    _train(small_policy(), algorithm="ppo", reward_model=one, value_model=values)
    with torch.no_grad():
        value_BT = values(torch.tensor([[11, 20], [13, 20]]), torch.ones(2, 2).bool())
    assert value_BT[:, -1].tolist() == pytest.approx([1.0, 1.0], abs=0.3)
