"""Adapters: nothing before they learn, all that the model computes with after, and plain weights in the end."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import PreTrainedModel

import zoo
from solon.config.training import LoraSection
from solon.errors import ConfigError, ModelError
from solon.lm.engines.local import LocalModel, decoder_kind
from solon.lm.packed import packs
from solon.lm.protocols import SampleRequest
from solon.models import adapters
from solon.models.adapters import add_adapters, fold, folded_weights, has_adapters, linear_layers, without_adapters
from solon.models.load import LoadedModel, load_model, save_model
from tiny_models import tiny_model, tiny_tokenizer
from zoo import zoo_model

LORA = LoraSection(rank=4, alpha=8)
IDS = torch.tensor([[5, 9, 30, 31, 32, 7]])
KINDS = ["llama", "qwen2", "gpt_neox", "gpt2", "mixtral", "qwen3_moe", "deepseek_v3", "phi3", "falcon", "bloom", "opt"]

RENAMED = ("gpt_neox", "mixtral", "qwen3_moe", "deepseek_v3")


def model_of(kind: str) -> PreTrainedModel:
    return zoo_model(zoo.KINDS[kind])


def adapted(kind: str = "llama", *, learned: bool = True, seed: int = 0) -> PreTrainedModel:
    """`learned`: as if training had moved B."""
    model = model_of(kind)
    add_adapters(model, LORA, seed=seed)
    if learned:
        draw = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, one in model.named_parameters():
                if "lora_B" in name:
                    one.copy_(torch.randn(one.shape, generator=draw) * 0.1)
    return model


@torch.no_grad()
def logits(model: PreTrainedModel) -> Tensor:
    return model(IDS).logits


@pytest.mark.parametrize("kind", KINDS)
def test_new_adapters_change_nothing_and_leave_the_model_what_it_was(kind: str) -> None:
    plain, model = model_of(kind), adapted(kind, learned=False)
    assert torch.equal(logits(model), logits(plain))
    assert type(model) is type(plain) and packs(model) == packs(plain)
    assert decoder_kind(model) != "lean", "that would read past them"


@pytest.mark.parametrize("kind", KINDS)
def test_every_linear_layer_but_the_head_gets_one_and_nothing_else_learns(kind: str) -> None:
    plain, model = model_of(kind), adapted(kind)
    layers = linear_layers(plain)
    learns = {name: one for name, one in model.named_parameters() if one.requires_grad}
    assert sum(one.numel() for one in learns.values()) == sum(LORA.rank * sum(x.weight.shape) for x in layers.values())
    assert learns.keys() == {f"{name}.lora_{side}.default.weight" for name in layers for side in "AB"}
    assert not any(name.endswith(("lm_head", "embed_out")) for name in layers)


def test_they_are_drawn_from_their_seed_and_from_nothing_else() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, same, other = (adapted(learned=False, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(one[name], same[name]) for name in one)
    drawn = [name for name in one if "lora_A" in name]
    assert drawn and not any(torch.equal(one[name], other[name]) for name in drawn)


@pytest.mark.parametrize("kind", KINDS)
def test_without_them_a_model_is_what_it_was_and_afterwards_it_has_them_again(kind: str) -> None:
    plain, model = model_of(kind), adapted(kind)
    whole = logits(model)
    with pytest.raises(KeyError), without_adapters(model):
        assert torch.equal(logits(model), logits(plain))
        raise KeyError
    assert torch.equal(logits(model), whole) and not torch.equal(whole, logits(plain))
    assert any(one.requires_grad for one in model.parameters())
    with without_adapters(plain):
        assert torch.equal(logits(plain), logits(model_of(kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_folding_changes_nothing_but_rounding_and_leaves_a_plain_model(kind: str, tmp_path: Path) -> None:
    plain, model = model_of(kind), adapted(kind)
    want = logits(model)
    fold(model)
    assert not has_adapters(model) and model.state_dict().keys() == plain.state_dict().keys()
    assert [type(one) for one in model.modules()] == [type(one) for one in plain.modules()]
    torch.testing.assert_close(logits(model), want, atol=1e-5, rtol=1e-5)
    save_model(model, tiny_tokenizer(), tmp_path)
    loaded = load_model(tmp_path, dtype=torch.float32, device="cpu").model
    assert torch.equal(logits(loaded), logits(model))
    assert sorted(path.name for path in tmp_path.glob("*adapter*")) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("learned", [True, None])
def test_what_is_handed_over_are_the_weights_that_a_folder_would_have(
    kind: str, learned: bool | None, tmp_path: Path
) -> None:
    """With adapters and without (None). Some have other names in a folder, which has tied ones once."""
    model = model_of(kind) if learned is None else adapted(kind)
    before = {name: one.clone() for name, one in model.state_dict().items()}
    names, handed = zip(*folded_weights(model), strict=True)
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())
    fold(model)
    save_model(model, tiny_tokenizer(), tmp_path)
    there = load_file(tmp_path / "model.safetensors")
    assert (there.keys() <= set(names)) == (kind not in RENAMED)
    assert sorted(names) == sorted(model.state_dict())
    for name, one in zip(names, handed, strict=True):
        torch.testing.assert_close(one, model.state_dict()[name], atol=1e-6, rtol=1e-6)


def test_a_model_without_adapters_is_not_touched_by_folding() -> None:
    model = tiny_model().bfloat16()
    fold(model)
    assert model.dtype == torch.bfloat16


def test_folding_into_bfloat16_weights_keeps_steps_that_bfloat16_cannot_hold() -> None:
    model = tiny_model().bfloat16()
    add_adapters(model, LORA, seed=0)
    before = {name: one.weight.float() for name, one in linear_layers(tiny_model().bfloat16()).items()}
    with torch.no_grad():
        for name, one in model.named_parameters():
            if "lora_B" in name:
                one.fill_(1e-5)
    assert all(one.dtype == (torch.float32 if one.requires_grad else torch.bfloat16) for one in model.parameters())
    fold(model)
    for name, layer in linear_layers(model).items():
        assert (layer.weight != before[name]).float().mean() > 0.9
        assert (layer.weight.bfloat16() == before[name]).float().mean() > 0.9


def test_what_is_sampled_is_what_the_adapters_say() -> None:
    """The engine's answers are those of the folded model, and not those of the weights beside the adapters."""

    def sampled(model: PreTrainedModel) -> list[tuple[int, ...]]:
        engine = LocalModel(LoadedModel(model=model, tokenizer=tiny_tokenizer(), path=Path()), lean=False)
        requests = [SampleRequest(prompt=f"Hello {n}?", seed=n, max_new_tokens=8, temperature=1.0) for n in range(4)]
        return [one.answer_ids for one in engine.sample(requests)]

    model = adapted()
    answers = sampled(model)
    with without_adapters(model):
        assert sampled(model) == sampled(model_of("llama")) != answers
    fold(model)
    assert sampled(model) == answers


def test_bfloat16_weights_and_float32_adapters_are_sampled_in_bfloat16() -> None:
    model = tiny_model().bfloat16()
    add_adapters(model, LORA, seed=0)
    engine = LocalModel(LoadedModel(model=model, tokenizer=tiny_tokenizer(), path=Path()), dtype=torch.bfloat16)
    (answer,) = engine.sample([SampleRequest(prompt="Hello?", seed=0, max_new_tokens=4, temperature=1.0)])
    assert answer.answer_ids


def test_without_peft_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "find_spec", lambda name: None)
    with pytest.raises(ConfigError) as raised:
        add_adapters(tiny_model(), LORA, seed=0)
    assert str(raised.value) == "LoRA needs peft, which is missing (pip install 'solon[lora]')"


def test_a_model_without_linear_layers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "linear_layers", lambda model: {})
    with pytest.raises(ModelError) as raised:
        add_adapters(tiny_model(), LORA, seed=0)
    assert str(raised.value) == "LlamaForCausalLM has no linear layers for adapters (train it without lora)"
