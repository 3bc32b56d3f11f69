"""Training by adapters: only they move, the reference is the policy without them, a resumed run has the same bytes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from solon.config.training import LoraSection, PreferenceSection, RLSection, SFTSection
from solon.errors import RunError
from solon.lm.protocols import Completion
from solon.models.adapters import add_adapters
from solon.models.heads import PreferenceModel, ValueModel
from solon.pipeline.learning import algorithm_of
from solon.train.batches import TokenExample
from solon.train.loop import Trainer
from solon.train.preference import PreferenceExample, PreferenceReward, scores, sequence_tokens, train_preference
from solon.train.rewards import OfAnswers, Reward
from solon.train.rl import RLTrainStep, reinforce
from solon.train.rollouts import Environment, PolicyPrompt, RLModels
from solon.train.sft import finetune
from tiny_models import tiny_model, tiny_tokenizer
from train.keeping import Killed, MemoryCheckpoints, killer, same_bytes, train_context
from train.sampling import NaiveSampler

WANTED = 7
SFT = SFTSection(epochs=3, batch_size=5, learning_rate=1e-2, warmup_steps=2, checkpoint_steps=4)
EXAMPLES = [TokenExample.answered(f"row-{n}", (100 + n, 120, 121 + n % 5), (200 + n, 230 + n % 3)) for n in range(16)]


def adapted(model: PreTrainedModel, *, seed: int = 0, rank: int = 4) -> PreTrainedModel:
    add_adapters(model, LoraSection(rank=rank, alpha=8), seed=seed)
    return model


def moved(before: dict[str, Tensor], module: nn.Module) -> set[bool]:
    """Whether what moved are adapters."""
    after = module.state_dict()
    return {"lora_" in name for name in before if not torch.equal(before[name], after[name])}


def state(module: nn.Module) -> dict[str, Tensor]:
    return {name: one.clone() for name, one in module.state_dict().items()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_finetuning_moves_adapters_alone_and_learns(dtype: torch.dtype) -> None:
    model = adapted(tiny_model().to(dtype))
    before = state(model)
    steps = finetune(model, EXAMPLES, SFT.model_copy(update={"epochs": 20}), train_context(pad_id=1, dtype=dtype))
    assert moved(before, model) == {True}
    assert steps[-1].loss < 0.5 * steps[0].loss
    assert {one.dtype for one in model.parameters() if not one.requires_grad} == {dtype}
    assert {one.dtype for one in model.parameters() if one.requires_grad} == {torch.float32}


def test_a_checkpoint_holds_what_learns_and_nothing_else() -> None:
    model = adapted(tiny_model())
    saved = Trainer({"model": model}, SFT).tensors()
    assert saved and all("lora_" in name for name in saved)


@pytest.mark.parametrize("at", [1, 6])
def test_killed_and_resumed_ends_with_the_bytes_of_an_undisturbed_run(at: int) -> None:
    undisturbed, resumed, checkpoints = adapted(tiny_model()), adapted(tiny_model()), MemoryCheckpoints()
    want = finetune(undisturbed, EXAMPLES, SFT, train_context(pad_id=1))
    with pytest.raises(Killed):
        context = train_context(pad_id=1, checkpoints=checkpoints, progress=killer(at))
        finetune(adapted(tiny_model()), EXAMPLES, SFT, context)
    assert finetune(resumed, EXAMPLES, SFT, train_context(pad_id=1, checkpoints=checkpoints)) == want
    assert same_bytes(undisturbed, resumed)


def test_a_checkpoint_of_another_rank_is_refused() -> None:
    saved = Trainer({"model": adapted(tiny_model(), rank=8)}, SFT).tensors()
    trainer = Trainer({"model": adapted(tiny_model())}, SFT)
    with pytest.raises(RunError) as raised:
        trainer.load(saved, 1)
    name = "model.model.layers.0.mlp.down_proj.lora_A.default.weight"
    assert str(raised.value) == (
        f"the checkpoint is of other weights: {name} is (8, 64) there, (4, 64) here "
        "(go on with the settings and version it was begun with, or delete the checkpoint to begin the stage again)"
    )
    with pytest.raises(RunError, match=r"model\.model\.embed_tokens\.weight is \(384, 32\) there, missing here"):
        trainer.load(Trainer({"model": tiny_model()}, SFT).tensors(), 1)


def test_the_preference_model_learns_by_its_adapters_and_its_head() -> None:
    model = PreferenceModel(adapted(tiny_model()))
    before = state(model)
    pairs = [
        PreferenceExample(id=str(n), prompt_id=str(n), a_ids=(9, n, 7), b_ids=(9, n, 8), p_a_preferred=1.0)
        for n in range(8)
    ]
    train_preference(model, pairs, PreferenceSection(learning_rate=1e-2, epochs=4), train_context(pad_id=1))
    after = model.state_dict()
    other = {name for name in before if not torch.equal(before[name], after[name]) and "lora_" not in name}
    assert other <= {"head.weight", "head.bias"} and "head.weight" in other
    assert moved(before, model) == {True, False}


def policy(seed: int = 1) -> PreTrainedModel:
    """Over 24 tokens, few enough to find the wanted one by chance."""
    shape = {"vocab_size": 24, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LlamaForCausalLM(LlamaConfig(**shape, num_attention_heads=4, initializer_range=0.2)).eval()


def share_of_wanted(_prompts: Any, answers: Any) -> list[float]:
    return [sum(token == WANTED for token in one.answer_ids) / len(one.answer_ids) for one in answers]


def train(models: RLModels, name: str = "grpo", **extra: Any) -> list[RLTrainStep]:
    section = RLSection(
        algorithm=name,
        steps=8,
        prompts_per_step=4,
        samples_per_prompt=8,
        learning_rate=2e-2,
        warmup_steps=0,
        checkpoint_steps=3,
        kl_coefficient=0.01,
    )
    environment = Environment(
        prompts=[PolicyPrompt(id=f"p{n}", text=f"{10 + n} 20") for n in range(6)],
        sampler=NaiveSampler(model=models.policy, eos_id=0),
        reward=Reward.of(OfAnswers(share_of_wanted)),
        max_new_tokens=6,
    )
    context = train_context(pad_id=1, **extra)
    return reinforce(algorithm_of(name), models, environment, section, context, lambda step, rollouts: None)


def models_of(name: str, reference: PreTrainedModel | None = None) -> RLModels:
    one = adapted(policy())
    value = ValueModel(adapted(policy(seed=3))) if algorithm_of(name).VALUE_MODEL else None
    return RLModels(policy=one, reference=reference or one, value_model=value)


def test_the_policy_without_adapters_is_the_reference_that_a_second_model_would_be() -> None:
    models, frozen = models_of("grpo"), policy()
    before = state(models.policy)
    steps = train(models)
    assert steps == train(models_of("grpo", reference=frozen))
    assert moved(before, models.policy) == {True}
    assert steps[0].kl == 0 < steps[-1].kl
    assert steps[-1].reward_mean > 3 * steps[0].reward_mean


@pytest.mark.parametrize("name", ["grpo", "ppo"])
def test_rl_killed_and_resumed_ends_with_the_same_bytes(name: str) -> None:
    undisturbed, checkpoints = models_of(name), MemoryCheckpoints()
    want = train(undisturbed, name)
    with pytest.raises(Killed):
        train(models_of(name), name, checkpoints=checkpoints, progress=killer(5))
    resumed = models_of(name)
    assert train(resumed, name, checkpoints=checkpoints) == want
    assert all(same_bytes(resumed.learning[key], undisturbed.learning[key]) for key in undisturbed.learning)


def test_the_reward_does_not_see_the_adapters_of_a_value_model_on_the_same_weights() -> None:
    whole = tiny_model()
    judge = PreferenceModel(whole)
    reward = PreferenceReward(
        model=judge,
        tokenizer=tiny_tokenizer(),
        section=RLSection(),
        answer_text=lambda text: f" {text}",
        pad_id=1,
        max_tokens=64,
        count=Counter[str]().update,
    )
    prompt, ids = PolicyPrompt(id="p", text="Hello?"), {"prompt_ids": (1,), "answer_ids": (2,)}
    answer = Completion(prompt=prompt.text, text="Good day.", tokens=1, ended="eos", **ids)
    before = reward([prompt], [answer])
    assert ValueModel(adapted(whole)).backbone is judge.backbone
    finetune(whole, EXAMPLES, SFT, train_context(pad_id=1))
    assert reward([prompt], [answer]) == before
    read = sequence_tokens(tiny_tokenizer(), prompt.text, " Good day.")
    assert scores(judge, [read], pad_id=1) != before
