"""Both decoders against the plain forward pass of transformers, one unpadded sequence at a time."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from solon.lm.decoder import Decoder, CachedDecoder
from solon.lm.llama import BLOCK, LlamaDecoder, LlamaWeights, supports
from tiny_models import FAMILIES, Family, tiny_model

CASES = [(family, False) for family in FAMILIES] + [("llama", True), ("qwen2", True)]
LENGTHS = (12, 7, 9)
WIDTH = max(LENGTHS)


def decoder(family: Family, lean: bool) -> tuple[Decoder, torch.nn.Module]:
    model = tiny_model(family)
    if lean:
        return LlamaDecoder(LlamaWeights(model, torch.float32)), model
    return CachedDecoder(model, torch.float32), model


def padded_batch(vocabulary: int) -> tuple[Tensor, Tensor]:
    ids = torch.randint(0, vocabulary, (len(LENGTHS), WIDTH), generator=torch.Generator().manual_seed(1))
    return ids, torch.tensor([[column >= WIDTH - length for column in range(WIDTH)] for length in LENGTHS])


def alone(model: torch.nn.Module, ids_T: Tensor) -> Tensor:
    with torch.no_grad():
        logits: Tensor = model(ids_T[None]).logits[0]
    return logits


@pytest.mark.parametrize(("family", "lean"), CASES)
def test_left_padded_prefill_gives_each_row_the_logits_it_has_alone(family: Family, lean: bool) -> None:
    decode, model = decoder(family, lean)
    ids, mask = padded_batch(model.config.vocab_size)
    logits = decode.extend(ids, mask, last=WIDTH)
    for row, length in enumerate(LENGTHS):
        torch.testing.assert_close(logits[row, -length:], alone(model, ids[row, -length:]), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("family", "lean"), CASES)
def test_cached_steps_and_chosen_rows_give_the_logits_of_the_whole_sequence(family: Family, lean: bool) -> None:
    decode, model = decoder(family, lean)
    ids, mask = padded_batch(model.config.vocab_size)
    decode.extend(ids[:, :8], mask[:, :8])
    rows = torch.tensor([2, 0, 2])
    decode.keep(rows)
    ids, mask, lengths = ids[rows], mask[rows], [LENGTHS[row] for row in rows]
    middle = decode.extend(ids[:, 8:10], mask[:, 8:10], last=2)
    steps = [decode.extend(ids[:, t : t + 1], mask[:, t : t + 1]) for t in range(10, WIDTH)]
    logits = torch.cat([middle, *steps], dim=1)
    for row, length in enumerate(lengths):
        torch.testing.assert_close(logits[row], alone(model, ids[row, -length:])[-4:], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("family", "lean"), [("llama", True), ("qwen2", True)])
def test_the_lean_cache_grows_past_several_blocks(family: Family, lean: bool) -> None:
    decode, model = decoder(family, lean)
    ids = torch.randint(0, model.config.vocab_size, (2, 2 * BLOCK + 5), generator=torch.Generator().manual_seed(2))
    mask = torch.ones_like(ids, dtype=torch.bool)
    decode.extend(ids[:, :3], mask[:, :3])
    steps = [decode.extend(ids[:, t : t + 1], mask[:, t : t + 1]) for t in range(3, ids.shape[1])]
    logits = torch.cat(steps, dim=1)
    for row in range(2):
        torch.testing.assert_close(logits[row], alone(model, ids[row])[3:], atol=1e-4, rtol=1e-4)


def test_the_fused_kernel_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    manual, model = decoder("qwen2", lean=True)
    ids, mask = padded_batch(model.config.vocab_size)
    expected = manual.extend(ids, mask)
    monkeypatch.setattr("solon.lm.llama.MAX_SCORES", 0)
    fused = decoder("qwen2", lean=True)[0].extend(ids, mask)
    torch.testing.assert_close(fused, expected, atol=1e-4, rtol=1e-4)


def test_bfloat16_stays_near_float32() -> None:
    model = tiny_model("llama")
    ids, mask = padded_batch(model.config.vocab_size)
    exact = LlamaDecoder(LlamaWeights(model, torch.float32)).extend(ids, mask)
    rough = LlamaDecoder(LlamaWeights(model, torch.bfloat16)).extend(ids, mask)
    assert rough.dtype == torch.float32
    assert float((rough - exact).abs().max()) < 0.1 * float(exact.std())


def test_supports_only_what_it_computes() -> None:
    assert supports(tiny_model("llama"))
    assert supports(tiny_model("qwen2"))
    assert not supports(tiny_model("gpt_neox"))
    for change in ({"hidden_act": "gelu"}, {"layer_types": ["full_attention", "sliding_attention"]}):
        model = tiny_model("llama")
        for key, value in change.items():
            setattr(model.config, key, value)
        assert not supports(model)


def test_llama3_rope_scaling_is_followed() -> None:
    scaled = {
        "rope_type": "llama3",
        "rope_theta": 1e4,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16,
    }
    plain = tiny_model("llama")
    config = type(plain.config)(**{**plain.config.to_dict(), "rope_parameters": scaled})
    model = type(plain)(config).eval()
    model.load_state_dict(plain.state_dict())
    ids, mask = padded_batch(config.vocab_size)
    logits = LlamaDecoder(LlamaWeights(model, torch.float32)).extend(ids, mask)
    torch.testing.assert_close(logits[0, 0], alone(model, ids[0])[-1], atol=1e-4, rtol=1e-4)
    assert float((logits[0, 0] - alone(plain, ids[0])[-1]).abs().max()) > 1e-2
