"""The arithmetic of memory, against what models and training hold."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from transformers import (
    DynamicCache,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from solon.config.training import LoraSection, RLSection, SFTSection, WeightType
from solon.lm.decoder import cache_parameter
from solon.models.adapters import add_adapters
from solon.models.memory import (
    KEPT_FREE,
    PROGRAM,
    Learning,
    ModelSize,
    Reading,
    activation_bytes,
    finetuning_memory,
    kv_bytes_per_token,
    preference_memory,
    rl_memory,
    sampling_memory,
)
from solon.train.attention import SHORT_ROWS
from solon.train.batches import TokenExample
from solon.train.forward import Reader
from solon.train.loop import Trainer
from solon.train.losses import SumAndWeight, cross_entropy
from solon.train.recompute import recompute_layers
from zoo import KINDS, WINDOW, zoo_model

SHAPE = {
    "vocab_size": 600,
    "hidden_size": 64,
    "intermediate_size": 192,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "max_position_embeddings": 1024,
}
MODELS = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SHAPE, num_key_value_heads=2)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SHAPE, num_key_value_heads=2)),
    "gpt_neox": lambda: GPTNeoXForCausalLM(GPTNeoXConfig(**SHAPE)),
}
BILLION = ModelSize.of(MODELS["llama"]())


def cached_bytes(model: PreTrainedModel, tokens: int) -> int:
    """Of all keys and values after so many tokens."""
    cache = DynamicCache(config=model.config)
    model(input_ids=torch.ones(1, tokens, dtype=torch.long), past_key_values=cache, use_cache=True)
    kept = (getattr(layer, name, None) for layer in cache.layers for name in ("keys", "values"))
    return sum(tensor.nbytes for tensor in kept if tensor is not None)


@pytest.mark.parametrize("kind", [name for name in KINDS if KINDS[name].decoder != "recomputing"])
def test_keys_and_values_of_a_token(kind: str) -> None:
    model = zoo_model(KINDS[kind])
    if kind == "gpt_neox":
        model.config.num_key_value_heads = None  # the zoo sets it, and the architecture does not read it
    if cache_parameter(model) != "past_key_values":
        assert kv_bytes_per_token(model.config, torch.float32) == 0
        return
    with torch.no_grad():
        assert cached_bytes(model, WINDOW - 1) == (WINDOW - 1) * kv_bytes_per_token(model.config, torch.float32)


def kept_bytes(model: PreTrainedModel, rows: int, tokens: int, dtype: torch.dtype) -> int:
    """What a forward pass keeps for the backward pass, beside the weights and what stands behind the output head."""
    own, kept = {one.untyped_storage().data_ptr() for one in model.parameters()}, dict[int, int]()

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    examples = [TokenExample.answered(str(row), range(1 + row, tokens + row), [1]) for row in range(rows)]
    reader = Reader(model, pad_id=0, dtype=dtype)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        reader.logits(reader.collate_examples(examples))
        return sum(kept.values())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("rows", "tokens"), [(16, 64), (2, 512)])
@pytest.mark.parametrize("family", MODELS)
def test_what_a_forward_pass_keeps(family: str, rows: int, tokens: int, dtype: torch.dtype) -> None:
    model = MODELS[family]().eval()
    eager = tokens if tokens <= SHORT_ROWS else 0
    reading = Reading(dtype=dtype, rows=1, tokens=1, micro_batch_tokens=rows * tokens, eager_tokens=eager)
    assert activation_bytes(ModelSize.of(model), reading) == pytest.approx(
        kept_bytes(model, rows, tokens, dtype), rel=0.1
    )


@pytest.mark.parametrize("family", MODELS)
def test_what_a_forward_pass_keeps_of_weights_in_bfloat16(family: str) -> None:
    """Nothing is cast."""
    model = MODELS[family]().eval().to(torch.bfloat16)
    read = reading(dtype=torch.bfloat16, micro_batch_tokens=16 * 64, eager_tokens=64)
    expected = activation_bytes(ModelSize.of(model), read, Learning(weights="bfloat16+masters"))
    assert expected == pytest.approx(kept_bytes(model, 16, 64, torch.bfloat16), rel=0.1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("rows", "tokens"), [(16, 64), (2, 512)])
@pytest.mark.parametrize("family", MODELS)
def test_what_a_forward_pass_keeps_beside_adapters(family: str, rows: int, tokens: int, dtype: torch.dtype) -> None:
    model = MODELS[family]().eval().to(dtype)
    size = ModelSize.of(model)
    add_adapters(model, LoraSection(rank=4), seed=0)
    eager = tokens if tokens <= SHORT_ROWS else 0
    read = reading(dtype=dtype, micro_batch_tokens=rows * tokens, eager_tokens=eager)
    expected = activation_bytes(size, read, Learning(rank=4))
    assert expected == pytest.approx(kept_bytes(model, rows, tokens, dtype), rel=0.1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rank", [None, 4])
@pytest.mark.parametrize("family", MODELS)
def test_of_layers_that_are_computed_again_their_inputs_are_kept(
    family: str, rank: int | None, dtype: torch.dtype
) -> None:
    model, read = MODELS[family]().eval(), reading(dtype=dtype, micro_batch_tokens=16 * 64)
    size, learning = ModelSize.of(model), Learning(rank=rank, recomputed=True)
    if rank is not None:
        add_adapters(model.to(dtype), LoraSection(rank=rank), seed=0)
    whole = kept_bytes(model, 16, 64, dtype)
    recompute_layers(model)
    number = 4 if rank is None else dtype.itemsize
    kept, inputs = kept_bytes(model, 16, 64, dtype), 16 * 64 * size.layers * size.width * number
    behind_all_layers = 16 * 64 * 3 * size.width * 4
    assert inputs < kept < inputs + behind_all_layers < whole / 2
    one_layer = activation_bytes(size, read, Learning(rank=rank)) // size.layers
    assert activation_bytes(size, read, learning) == inputs + one_layer


def step_bytes(model: PreTrainedModel, section: SFTSection, rows: int, tokens: int, dtype: torch.dtype) -> int:
    """What tensors take at the peak of a step of finetuning, beyond those before it: all that torch allocates."""
    trainer, reader = Trainer({"model": model}, section), Reader(model, pad_id=0, dtype=dtype)
    examples = [TokenExample.answered(str(row), [row], range(1 + row, tokens + row)) for row in range(rows)]

    def loss_of(some: list[int]) -> SumAndWeight:
        batch = reader.collate_examples([examples[row] for row in some])
        return cross_entropy(reader.logp(batch), batch.weight_N)

    def step() -> None:
        trainer.update([[*range(rows)]], loss_of, weight=rows * tokens, tokens=rows * tokens)

    step()  # moments are there from now on
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        step()
    events: Any = seen.profiler.kineto_results.events()  # type: ignore[union-attr]
    changes = sorted((one.start_ns(), one.nbytes()) for one in events if one.name() == "[memory]")
    return max(accumulate(change for _, change in changes))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rank", [None, 4])
@pytest.mark.parametrize("recomputed", [False, True], ids=["kept", "computed again"])
def test_what_a_step_of_training_takes(recomputed: bool, rank: int | None, dtype: torch.dtype) -> None:
    """Measured, to 15%; every token is one of an answer's."""
    rows, tokens = 16, 64
    lora = None if rank is None else LoraSection(rank=rank)
    section = SFTSection(lora=lora, gradient_checkpointing=recomputed)
    model = MODELS["llama"]().eval()
    size = ModelSize.of(model)
    if lora is not None:
        add_adapters(model.to(dtype), lora, seed=0)
    read = reading(dtype=dtype, micro_batch_tokens=rows * tokens, eager_tokens=tokens)
    phases = finetuning_memory(size, read, Learning.by(section)).phases
    expected = max(phases["loss"], phases["step"])
    assert expected == pytest.approx(step_bytes(model, section, rows, tokens, dtype), rel=0.15)


@pytest.mark.parametrize("weights", ["bfloat16+masters", "bfloat16+stochastic"])
def test_what_a_step_takes_and_leaves_with_weights_in_bfloat16(weights: WeightType) -> None:
    """A step measured to 15%; what is held, exactly."""
    model, section = MODELS["llama"]().eval(), SFTSection(weights=weights)
    size, read = ModelSize.of(model), reading(dtype=torch.bfloat16, micro_batch_tokens=16 * 64, eager_tokens=64)
    memory = finetuning_memory(size, read, Learning.by(section))
    expected = max(memory.phases["loss"], memory.phases["step"])
    assert expected == pytest.approx(step_bytes(model, section, 16, 64, torch.bfloat16), rel=0.15)
    p, masters = size.parameters, {"masters": 4 * size.parameters} if weights == "bfloat16+masters" else {}
    assert memory.held == {"weights": 2 * p, **masters, "moments": 8 * p}
    assert finetuning_memory(size, replace(read, on_cpu=True), Learning.by(section)).phases["checkpoint"] == (
        12 * p if masters else 10 * p
    )


def test_where_one_tensor_is_most_of_a_model_the_step_takes_more_than_reading() -> None:
    size, read = replace(BILLION, vocabulary=10**6), reading(dtype=torch.bfloat16)
    for weights, of_number in (("bfloat16+masters", 4), ("bfloat16+stochastic", 10)):
        step = finetuning_memory(size, read, Learning(weights=weights)).phases["step"]  # type: ignore[arg-type]
        assert step == 2 * size.parameters + of_number * 10**6 * size.width


def reading(**changed: object) -> Reading:
    plain = {"dtype": torch.float32, "rows": 2, "tokens": 20, "micro_batch_tokens": 20, "on_cpu": False}
    return Reading(**{**plain, **changed})  # type: ignore[arg-type]


def test_each_stage_worked_out_by_hand() -> None:
    size = BILLION
    p, logits = size.parameters, 3 * 20 * size.vocabulary * 4
    kept = activation_bytes(size, reading())
    written = 20 * (2 * 4 * 2 * 16 * 4) + 2 * size.vocabulary * 16
    assert sampling_memory(size, reading()).total == 4 * p + written
    assert sampling_memory(size, reading(), copied=True).total == 8 * p + written
    assert finetuning_memory(size, reading()).total == 12 * p + max(4 * p, logits) + kept
    assert preference_memory(size, reading()).total == 12 * p + 4 * p + kept
    both = rl_memory(size, reading()), rl_memory(size, reading(), value_model=True)
    assert [sum(memory.held.values()) for memory in both] == [(12 + 4 + 4) * p, (12 + 4 + 4 + 12) * p]
    assert [memory.phases["step"] for memory in both] == [4 * p + kept, 2 * (4 * p + kept)]
    assert [memory.phases["loss"] for memory in both] == [kept + logits, 2 * kept + logits]


def test_adapters_worked_out_by_hand() -> None:
    """Of a layer q and o are 64 to 64, k and v 64 to 32, gate and up 64 to 192, down 192 to 64."""
    size, learning = BILLION, Learning(rank=3)
    p, a = size.parameters, 3 * 4 * (2 * 128 + 2 * 96 + 3 * 256)
    assert learning.learns(size) == a
    for dtype, b in ((torch.float32, 4), (torch.bfloat16, 2)):
        read, cast = reading(dtype=dtype), 0 if b == 4 else 2 * a
        step = 4 * a + cast + activation_bytes(size, read, learning)
        assert finetuning_memory(size, read, learning).held == {"weights": b * p, "adapters": 4 * a, "moments": 8 * a}
        phases = {"loss": step - 4 * a, "step": step, "saving": (4 - b) * p}
        assert preference_memory(size, read, learning).phases == phases
        grpo, ppo = (rl_memory(size, read, learning, value_model=more) for more in (False, True))
        assert sum(grpo.held.values()) == 2 * b * p + 12 * a, "no reference"
        shared = rl_memory(size, read, learning, beside=Learning(rank=6))
        assert sum(shared.held.values()) == b * p + 12 * a + 4 * 2 * a, "nor a preference model but its adapters"
        assert sum(ppo.held.values()) == 2 * b * p + 24 * a, "the value model's weights are the preference model's"
        assert ppo.phases["step"] - grpo.phases["step"] == step
    assert finetuning_memory(size, reading(on_cpu=True), learning).phases["checkpoint"] == 12 * a


def test_on_a_processor_there_is_the_program_the_file_and_what_was_freed() -> None:
    """Of adapters of rank 3; the file is mapped before there is anything that learns."""
    learning, logits = Learning(rank=3), 3 * 20 * BILLION.vocabulary * 4
    a = learning.learns(BILLION)
    plain, here = (finetuning_memory(BILLION, reading(on_cpu=cpu, file_bytes=10**9), learning) for cpu in (False, True))
    assert here.held == {"program": PROGRAM, **plain.held}
    assert here.phases["loss"] - plain.phases["loss"] == (KEPT_FREE - 1) * logits
    assert (here.phases["loading"], "loading" in plain.phases) == (10**9 - 12 * a, False)
    assert sampling_memory(BILLION, reading(on_cpu=True)).held["program"] == PROGRAM


CARD = 80 * 10**9
"""Bytes."""


def test_rl_of_eight_billion_weights_fits_one_card_by_adapters_and_not_without() -> None:
    """Groups of 8 answers to 8 prompts, 1,024 tokens each with their prompts; no number of the model is in memory."""
    shape = {"vocab_size": 128_256, "hidden_size": 4096, "intermediate_size": 14_336, "num_hidden_layers": 32}
    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig(**shape, num_attention_heads=32, num_key_value_heads=8))
    size = ModelSize.of(model)
    assert round(size.parameters / 1e9, 1) == 8.0
    read = reading(dtype=torch.bfloat16, rows=64, tokens=64 * 1024, micro_batch_tokens=4096)

    def takes(**settings: object) -> int:
        section = RLSection.model_validate(settings)
        return rl_memory(size, read, Learning.by(section), value_model=section.algorithm == "ppo").total

    for algorithm in ("grpo", "ppo"):
        assert takes(algorithm=algorithm, lora=LoraSection(), gradient_checkpointing=True) < 0.65 * CARD
        assert takes(algorithm=algorithm, gradient_checkpointing=True) > 1.5 * CARD
    assert takes(lora=LoraSection()) < CARD < takes()
    by_adapters = Learning(rank=16, recomputed=True)
    apart, shared = (rl_memory(size, read, by_adapters, beside=one).total for one in (None, by_adapters))
    assert apart - shared == 2 * size.parameters - 4 * by_adapters.learns(size)
    assert shared < 0.45 * CARD


def test_a_checkpoint_is_put_together_where_the_processor_is() -> None:
    p = BILLION.parameters
    assert finetuning_memory(BILLION, reading(on_cpu=True)).phases["checkpoint"] == 12 * p
    assert "checkpoint" not in finetuning_memory(BILLION, reading()).phases


def test_bfloat16_halves_what_is_cast_and_keeps_what_is_moved() -> None:
    half = rl_memory(BILLION, reading(dtype=torch.bfloat16))
    assert half.held["reference"] == 2 * BILLION.parameters
    assert half.held["policy's moments"] == 8 * BILLION.parameters


@pytest.mark.parametrize("name", ["rows", "tokens", "micro_batch_tokens"])
def test_more_at_once_takes_more(name: str) -> None:
    totals = [rl_memory(BILLION, reading(**{name: 1000 * many})).total for many in (1, 10, 100)]
    assert all(less < more for less, more in pairwise(totals)) and math.isfinite(totals[-1])
