"""Logits at answers only: parity with the whole forward pass, for every family, packed or with any padding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from solon.train import forward
from solon.train.batches import TokenExample
from solon.train.forward import Reader
from solon.train.layout import TokenBatch, collate
from tiny_models import FAMILIES, Family, tiny_model

CPU = torch.device("cpu")
ROWS = [
    TokenExample(id="a", input_ids=(5, 9, 30, 31, 32, 7), loss_mask=(False, False, False, True, False, True)),
    TokenExample(id="b", input_ids=(8, 40, 41), loss_mask=(False, True, True)),
]


def _reader(model: Any, dtype: torch.dtype = torch.float32) -> Reader:
    return Reader(model, pad_id=0, dtype=dtype)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_they_are_the_whole_forward_pass_s_logits_before_each_counted_token(family: Family, packed: bool) -> None:
    model = tiny_model(family)
    reader = _reader(model)
    assert reader.packed
    reader.packed = packed
    got_NV = reader.logits(reader.collate_examples(ROWS))
    want = []
    for row in ROWS:
        logits_TV = model(torch.tensor([row.input_ids])).logits[0]
        want += [logits_TV[t - 1] for t, counts in enumerate(row.loss_mask) if counts]
    torch.testing.assert_close(got_NV, torch.stack(want), atol=1e-5, rtol=1e-5)
    assert not model.get_output_embeddings()._forward_pre_hooks, "the head is left as it was"
    assert model.config._attn_implementation == "sdpa", "and so is attention"


def _absolute_positions() -> GPT2LMHeadModel:
    """A model that, unlike the families with rotary positions, notices when every position is shifted."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return GPT2LMHeadModel(GPT2Config(vocab_size=384, n_positions=32, n_embd=32, n_layer=2, n_head=4)).eval()


def _padded(left: int, right: int) -> TokenBatch:
    row = ROWS[1]
    ids = [77] * left + list(row.input_ids) + [77] * right
    whole = collate([ids], [[False] * left + list(row.loss_mask) + [False] * right], device=CPU, pad_id=77)
    mask = torch.tensor([[False] * left + [True] * len(row) + [False] * right])
    return TokenBatch(**{**vars(whole), "attention_mask_BT": mask})


@pytest.mark.parametrize("family", [*FAMILIES, "gpt2"])
def test_amount_and_side_of_padding_do_not_matter(family: Any) -> None:
    reader = _reader(_absolute_positions() if family == "gpt2" else tiny_model(family))
    want_NV = reader.logits(reader.collate_examples(ROWS[1:]))
    for left, right in ((0, 4), (4, 0), (2, 1)):
        torch.testing.assert_close(reader.logits(_padded(left, right)), want_NV, atol=1e-5, rtol=1e-5)


def test_bfloat16_is_close_and_comes_back_as_float32() -> None:
    model = tiny_model()
    one, other = _reader(model), _reader(model, torch.bfloat16)
    exact, rounded = one.logits(one.collate_examples(ROWS)), other.logits(other.collate_examples(ROWS))
    assert rounded.dtype == torch.float32
    assert 0 < (exact - rounded).abs().max() < 0.05 * exact.abs().max()


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
    wrapped: Any = Wrapped(model)
    reader = _reader(model)
    want_NV = reader.logits(reader.collate_examples(ROWS[1:]))
    torch.testing.assert_close(_reader(wrapped).logits(_padded(2, 0)), want_NV, atol=1e-5, rtol=1e-5)


def test_log_probabilities_in_pieces_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model()
    reader = _reader(model)
    batch = reader.collate_examples(ROWS)
    want_N = (reader.logits(batch) / 0.5).log_softmax(-1).gather(1, batch.target_ids_N[:, None])[:, 0]
    torch.testing.assert_close(reader.logp(batch, temperature=0.5), want_N)
    widest = []
    head: Any = model.get_output_embeddings()
    head.register_forward_hook(lambda _module, _given, out: widest.append(out.numel()))
    monkeypatch.setattr(forward, "LOGITS", 2 * head.weight.shape[0])
    torch.testing.assert_close(reader.logp(batch, temperature=0.5), want_N)
    assert max(widest) == 2 * head.weight.shape[0]
