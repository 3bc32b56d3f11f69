"""Both decoders against the plain forward pass of transformers, one unpadded sequence at a time."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import Phi3Config

from solon.lm.decoder import CachedDecoder, Decoder
from solon.lm.decoding import read_prompts
from solon.lm.engines.local import decoder_kind
from solon.lm.llama import BLOCK, LlamaDecoder, LlamaWeights, supports
from solon.models.inputs import context_length
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


class Adapted(torch.nn.Module):
    """What an adapter library puts in the place of a linear layer."""

    def __init__(self, linear: torch.nn.Linear):
        super().__init__()
        self.linear = linear
        self.weight, self.bias = linear.weight, linear.bias
        self.change = torch.nn.Linear(linear.in_features, linear.out_features, bias=False)

    def forward(self, h_BTD: Tensor) -> Tensor:
        out: Tensor = self.linear(h_BTD) + self.change(h_BTD)
        return out


@pytest.mark.parametrize("place", ["self_attn.q_proj", "mlp.up_proj"])
def test_layers_that_were_put_in_the_place_of_others_are_not_read_past(place: str) -> None:
    model: Any = tiny_model("llama")
    layer = model.model.layers[1]
    layer.set_submodule(place, Adapted(layer.get_submodule(place)))
    assert not supports(model) and decoder_kind(model) == "cached"
    ids = torch.randint(0, 300, (1, 9), generator=torch.Generator().manual_seed(3))
    logits = CachedDecoder(model, torch.float32).extend(ids, torch.ones_like(ids, dtype=torch.bool))
    torch.testing.assert_close(logits[0, -1], alone(model, ids[0])[-1], atol=1e-4, rtol=1e-4)


class Spy:
    """A decoder that counts."""

    def __init__(self, window: int):
        self.window = window
        self.read: list[tuple[int, ...]] = []

    def extend(self, ids_BT: Tensor, mask_BT: Tensor, *, last: int = 1) -> Tensor:
        self.read.append(tuple(ids_BT.shape))
        return torch.zeros(len(ids_BT), last, 5)

    def keep(self, rows: Tensor) -> None: ...


@pytest.mark.parametrize(
    ("window", "ahead", "read"),
    [
        (24, 3, [(1, 18), (2, 3)]),  # columns: a beginning of 18, up to 3 more, 3 to come
        (23, 3, [(2, 21)]),
        (23, 2, [(1, 18), (2, 3)]),
        (0, 0, [(2, 21)]),
    ],
)
def test_a_beginning_is_shared_only_within_the_window(window: int, ahead: int, read: list[tuple[int, ...]]) -> None:
    spy, beginning = Spy(window), list(range(18))
    read_prompts(spy, [[*beginning, 50], [*beginning, 60, 61, 62]], torch.device("cpu"), ahead=ahead)
    assert spy.read == read


def test_longrope_models_are_used_where_their_frequencies_do_not_depend_on_the_batch() -> None:
    factors = {"short_factor": [1.0] * 4, "long_factor": [2.0] * 4, "rope_type": "longrope", "rope_theta": 1e4}
    shape = {"hidden_size": 32, "num_attention_heads": 4, "max_position_embeddings": 4096, "pad_token_id": 0}
    long = Phi3Config(**shape, rope_parameters=factors, original_max_position_embeddings=128)
    assert context_length(long) == 128
    assert context_length(Phi3Config(**shape)) == 4096
