"""Layers computed again: the same gradients, and each layer twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import OPTConfig, OPTForCausalLM, PreTrainedModel

from solon.config.training import SFTSection
from solon.errors import ConfigError
from solon.lm.engines.local import LocalModel
from solon.lm.protocols import SampleRequest
from solon.models.load import LoadedModel
from solon.train.batches import TokenExample
from solon.train.forward import Reader
from solon.train.loop import Trainer
from solon.train.recompute import recompute_layers
from tiny_models import FAMILIES, Family, tiny_model, tiny_tokenizer

ROWS = [TokenExample.answered(str(n), range(5, 12 + n % 2), [30 + n, 40, 41 + n]) for n in range(5)]


def gradients(model: PreTrainedModel, *, packed: bool = True, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    reader = Reader(model, pad_id=0, dtype=dtype)
    reader.packed = packed
    reader.logp(reader.collate_examples(ROWS)).sum().backward()
    return [one.grad for one in model.parameters() if one.grad is not None]


def again(model: PreTrainedModel) -> PreTrainedModel:
    recompute_layers(model)
    return model


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_are_the_same(family: Family, packed: bool, dtype: torch.dtype) -> None:
    want, got = (
        gradients(model, packed=packed, dtype=dtype) for model in (tiny_model(family), again(tiny_model(family)))
    )
    assert len(want) == len(got) > 0
    for one, other in zip(want, got, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


def calls_of(model: Any) -> list[int]:
    """Grows by one whenever the first layer's inner part begins to be computed."""
    calls: list[int] = []
    model.model.layers[0].mlp.register_forward_pre_hook(lambda *_: calls.append(1))
    return calls


def test_a_layer_is_computed_once_to_read_and_twice_to_learn_also_after_somebody_sampled() -> None:
    model = again(tiny_model())
    calls = calls_of(model)
    gradients(model)
    assert len(calls) == 2
    with torch.no_grad():
        model(torch.tensor([[1, 2, 3]]))
    assert len(calls) == 3
    engine = LocalModel(LoadedModel(model=model, tokenizer=tiny_tokenizer(), path=Path()), lean=False)
    engine.sample([SampleRequest(prompt="Hello?", seed=0, max_new_tokens=2, temperature=1.0)])
    sampled = len(calls)
    gradients(model)
    assert len(calls) == sampled + 2


def test_nothing_drops_out() -> None:
    """OPT's layers drop out by what they themselves are told of training."""
    shape = {
        "vocab_size": 64,
        "hidden_size": 32,
        "ffn_dim": 64,
        "word_embed_proj_dim": 32,
        "max_position_embeddings": 64,
    }
    torch.manual_seed(0)
    model = OPTForCausalLM(OPTConfig(**shape, num_hidden_layers=2, num_attention_heads=4, dropout=0.5)).eval()
    plain = gradients(model)
    for one in model.parameters():
        one.grad = None
    for one, other in zip(plain, gradients(again(model)), strict=True):
        torch.testing.assert_close(one, other)


def test_a_section_asks_for_it_and_the_model_stays_its_kind() -> None:
    model, section = tiny_model(), SFTSection(gradient_checkpointing=True)
    before = {name: type(one).__name__ for name, one in model.named_modules()}
    Trainer({"model": model}, section)
    assert {name: type(one).__name__ for name, one in model.named_modules()} == before
    calls = calls_of(model)
    gradients(model)
    assert len(calls) == 2


def test_a_model_without_such_layers_is_refused() -> None:
    with pytest.raises(ConfigError) as raised:
        recompute_layers(nn.Linear(2, 2))
    hint = "set gradient_checkpointing to false"
    assert str(raised.value) == f"this model's layers cannot be computed again ({hint})"
