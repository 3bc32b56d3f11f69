"""Logits at answers only: parity with the whole forward pass, for every family and any padding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from solon.train.batches import TokenBatch, TokenExample, collate
from solon.train.forward import answer_logits, attention_for
from tiny_models import FAMILIES, Family, tiny_model

CPU = torch.device("cpu")
ROWS = [
    TokenExample(id="a", input_ids=(5, 9, 30, 31, 32, 7), loss_mask=(False, False, False, True, False, True)),
    TokenExample(id="b", input_ids=(8, 40, 41), loss_mask=(False, True, True)),
]


@pytest.mark.parametrize("family", FAMILIES)
def test_they_are_the_whole_forward_pass_s_logits_before_each_counted_token(family: Family) -> None:
    model = tiny_model(family)
    got_NV = answer_logits(model, collate(ROWS, 0, CPU), torch.float32)
    want = []
    for row in ROWS:
        logits_TV = model(torch.tensor([row.input_ids])).logits[0]
        want += [logits_TV[t - 1] for t, counts in enumerate(row.loss_mask) if counts]
    torch.testing.assert_close(got_NV, torch.stack(want), atol=1e-5, rtol=1e-5)
    assert not model.get_output_embeddings()._forward_pre_hooks, "the head is left as it was"


def _absolute_positions() -> GPT2LMHeadModel:
    """A model that, unlike the families with rotary positions, notices when every position is shifted."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return GPT2LMHeadModel(GPT2Config(vocab_size=384, n_positions=32, n_embd=32, n_layer=2, n_head=4)).eval()


@pytest.mark.parametrize("family", [*FAMILIES, "gpt2"])
def test_amount_and_side_of_padding_do_not_matter(family: Any) -> None:
    model = _absolute_positions() if family == "gpt2" else tiny_model(family)
    want_NV = answer_logits(model, collate(ROWS[1:], 0, CPU), torch.float32)
    for left, right in ((0, 4), (4, 0), (2, 1)):
        padded = TokenBatch(
            input_ids_BT=torch.tensor([[77] * left + list(ROWS[1].input_ids) + [77] * right]),
            attention_mask_BT=torch.tensor([[False] * left + [True] * 3 + [False] * right]),
            loss_mask_BT=torch.tensor([[False] * left + list(ROWS[1].loss_mask) + [False] * right]),
        )
        got_NV = answer_logits(model, padded, torch.float32)
        torch.testing.assert_close(got_NV, want_NV, atol=1e-5, rtol=1e-5)


def test_bfloat16_is_close_and_comes_back_as_float32() -> None:
    model, batch = tiny_model(), collate(ROWS, 0, CPU)
    exact, rounded = answer_logits(model, batch, torch.float32), answer_logits(model, batch, torch.bfloat16)
    assert rounded.dtype == torch.float32
    assert 0 < (exact - rounded).abs().max() < 0.05 * exact.abs().max()


def test_short_rows_use_eager_attention_and_long_ones_what_the_model_had() -> None:
    model = tiny_model()
    before = model.config._attn_implementation
    with attention_for([model], 10):
        assert model.config._attn_implementation == "eager"
    assert model.config._attn_implementation == before == "sdpa"
    with attention_for([model], 5000):
        assert model.config._attn_implementation == before


class Wrapped(torch.nn.Module):
    """As adapters and compilers wrap a model: any arguments, and all else asked of the model inside."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.inner = model

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("inner"), name)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.inner(*args, **kwargs)


def test_positions_are_counted_for_wrapped_models_too() -> None:
    model = _absolute_positions()
    left = TokenBatch(
        input_ids_BT=torch.tensor([[77, 77, 8, 40, 41]]),
        attention_mask_BT=torch.tensor([[False, False, True, True, True]]),
        loss_mask_BT=torch.tensor([[False, False, False, True, True]]),
    )
    wrapped: Any = Wrapped(model)
    want_NV = answer_logits(model, collate(ROWS[1:], 0, CPU), torch.float32)
    torch.testing.assert_close(answer_logits(wrapped, left, torch.float32), want_NV, atol=1e-5, rtol=1e-5)
