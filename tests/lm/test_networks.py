"""Networks on packed tokens against the plain forward pass of transformers, one sequence at a time."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import Phi3Config

from solon.lm.attention import Attention, Pass, Piece, mix
from solon.lm.cache import NARROWEST, Cache, Sequence, width
from solon.lm.decoder import CachedDecoder
from solon.lm.engines.local import decoder_kind
from solon.lm.llama import LlamaNetwork, LlamaWeights, supports
from solon.lm.lockstep import padded
from solon.lm.packed import PackedNetwork
from solon.lm.reader import Network
from solon.models.inputs import context_length
from tiny_models import FAMILIES, Family, tiny_model
from zoo import KINDS, zoo_model

CASES = [
    *FAMILIES,
    "lean llama",
    "lean qwen2",
    "lean qwen3",
    "lean mistral",
    "qwen3",
    "mistral",
    "gemma3_text",
    "gpt_oss",
    "deepseek_v3",
]
LENGTHS = (12, 7, 9)
CPU = torch.device("cpu")


def network(case: str, dtype: torch.dtype = torch.float32) -> tuple[Network, Any]:
    family = case.removeprefix("lean ")
    model = tiny_model(family) if family in FAMILIES else zoo_model(KINDS[family])
    _weigh_norms(model)
    if case.startswith("lean "):
        return LlamaNetwork(LlamaWeights(model, dtype)), model
    return PackedNetwork(model, dtype), model


def _weigh_norms(model: Any) -> None:
    """They are 1 in a new model, and whoever forgot them would not be found out."""
    drawn = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" in name and weight.dim() == 1:
                weight.mul_(1.0 + 0.5 * torch.rand(weight.shape, generator=drawn))


class Reading:
    """Sequences in a cache, and a network that reads them."""

    def __init__(self, network: Network, budget: int = 1 << 14):
        self.network = network
        self.cache = Cache(network.shapes(), dtype=network.dtype, device=CPU, budget=budget)

    def open(self, ids: list[int], trunk: Sequence | None = None) -> Sequence:
        sequence = Sequence(ids=ids, most=len(ids), owner=(0,), trunk=trunk, known=trunk.known if trunk else 0)
        self.cache.open(sequence, 1)
        return sequence

    def trunk(self, ids: list[int]) -> Sequence:
        sequence = Sequence(ids=ids, most=len(ids))
        self.cache.open_trunk(sequence)
        self.read((sequence, len(ids)))
        return sequence

    def read(self, *pieces: tuple[Sequence, int]) -> list[Tensor]:
        """All logits of the next so many tokens of each."""
        for sequence, count in pieces:
            assert sequence.block
            if sequence.known + count - sequence.base > sequence.block.columns:
                self.cache.move(sequence, sequence.known + count - sequence.base)
        wanted = [Piece(sequence=sequence, count=count, last=count) for sequence, count in pieces]
        with torch.no_grad():
            logits = self.network.read(Pass(wanted, CPU))
        for sequence, count in pieces:
            sequence.known += count
        return list(logits.split([count for _, count in pieces]))


def texts(*lengths: int) -> list[list[int]]:
    rng = torch.Generator().manual_seed(1)
    return [torch.randint(2, 300, (length,), generator=rng).tolist() for length in lengths]


def alone(model: torch.nn.Module, ids: list[int]) -> Tensor:
    with torch.no_grad():
        logits: Tensor = model(torch.tensor([ids]), use_cache=False).logits[0]
    return logits


def near(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_ragged_rows_have_the_logits_that_they_have_alone(case: str) -> None:
    net, model = network(case)
    reading = Reading(net)
    rows = texts(*LENGTHS)
    for ids, logits in zip(rows, reading.read(*((reading.open(ids), len(ids)) for ids in rows)), strict=True):
        near(logits, alone(model, ids))


@pytest.mark.parametrize("case", CASES)
def test_pieces_and_steps_of_rows_that_are_not_in_step(case: str) -> None:
    """Some draw their tokens while others are read, in blocks that they outgrow."""
    net, model = network(case)
    reading = Reading(net)
    rows = texts(NARROWEST + 40, 30, NARROWEST - 1)
    sequences = [reading.open(ids) for ids in rows]
    found: dict[Sequence, list[Tensor]] = {sequence: [] for sequence in sequences}
    for step in range(200):
        counts = (50 if step == 0 else 1, 7, 1 if step else NARROWEST - 5)
        pieces = [
            (sequence, min(count, len(sequence.ids) - sequence.known))
            for sequence, count in zip(sequences, counts, strict=True)
            if len(sequence.ids) > sequence.known
        ]
        if not pieces:
            break
        for (sequence, _), logits in zip(pieces, reading.read(*pieces), strict=True):
            found[sequence].append(logits)
    for ids, sequence in zip(rows, sequences, strict=True):
        near(torch.cat(found[sequence]), alone(model, ids))


@pytest.mark.parametrize("case", CASES)
def test_a_beginning_that_is_held_once_for_all_gives_the_same(case: str) -> None:
    """Read as a trunk, copied from a row, copied from a trunk, and copied to a row behind a trunk."""
    net, model = network(case)
    reading = Reading(net)
    beginning, *ends = texts(20, 5, 9, 3, 4)
    trunk = reading.trunk(beginning)
    held = [reading.open(beginning + end, trunk) for end in ends[:2]]
    near(
        torch.cat(reading.read(*((row, len(row.ids) - 20) for row in held))),
        torch.cat([alone(model, row.ids)[20:] for row in held]),
    )
    for source, known, behind in ((held[1], 23, None), (trunk, 18, None), (held[0], 22, trunk)):
        copied = reading.open(source.ids[:known] + ends[2], behind)
        reading.cache.copy(source, copied, known)
        near(reading.read((copied, 3))[0], alone(model, copied.ids)[known:])


def test_rows_that_leave_and_enter_leave_the_others_alone() -> None:
    net, model = network("lean llama")
    reading = Reading(net)
    first, second, third, fourth = texts(20, 20, 20, 9)
    rows = [reading.open(ids) for ids in (first, second, third)]
    reading.read(*((row, 10) for row in rows))
    reading.cache.close(rows[0])
    reading.cache.compact(0.8)
    assert (rows[1].row, rows[2].row) == (0, 1)
    near(
        torch.cat(reading.read((rows[1], 4), (rows[2], 1))),
        torch.cat([alone(model, second)[10:14], alone(model, third)[10:11]]),
    )
    late = reading.open(fourth)
    found = reading.read((late, 9), (rows[2], 9))
    near(found[0], alone(model, fourth))
    near(found[1], alone(model, third)[11:])


def test_what_is_not_a_number_stays_with_its_row() -> None:
    """Also when another gets its place, which is as long as the one before it."""
    net, model = network("lean llama")
    reading = Reading(net)
    (ids,) = texts(8)
    bad = reading.open(ids)
    reading.read((bad, 8))
    for layer in range(2):
        bad.keys(layer).fill_(float("nan"))
        bad.values(layer).fill_(float("nan"))
    good = reading.open(ids)
    near(reading.read((good, 8))[0], alone(model, ids))
    reading.cache.close(bad, clean=True)
    heir = reading.open(ids)
    assert heir.row == 0
    near(reading.read((heir, 8))[0], alone(model, ids))


def test_rows_behind_a_trunk_attend_as_if_each_held_it() -> None:
    """3 rows, 4 query heads over 2 key heads, 2 new tokens, 5 columns behind 7 of the trunk."""
    drawn = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(3, heads, length, 8, generator=drawn) for heads, length in ((4, 2), (2, 5), (2, 5))
    )
    trunk = torch.randn(2, 7, 8, generator=drawn), torch.randn(2, 7, 8, generator=drawn)
    bias = torch.zeros(3, 1, 2, 12)
    bias[1, :, :, -2:] = torch.finfo(bias.dtype).min
    held = [
        torch.cat([shared.expand(3, -1, -1, -1), own], dim=2) for shared, own in zip(trunk, (key, value), strict=True)
    ]
    expected = F.scaled_dot_product_attention(query, *held, attn_mask=bias, scale=0.3, enable_gqa=True)
    assert torch.allclose(mix(query, key, value, bias, Attention(scale=0.3), trunk), expected, atol=1e-5)


def test_scores_against_a_trunk_and_the_rest_are_one_softmax() -> None:
    """Two places of the trunk and one own, values 1, 10 and 100, all alike: their mean is 37."""
    trunk = torch.zeros(1, 2, 1), torch.tensor([[[1.0], [10.0]]])
    query, key, value = torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 1, 1), torch.full((1, 1, 1, 1), 100.0)
    assert mix(query, key, value, torch.zeros(1, 1, 1, 3), Attention(), trunk).item() == pytest.approx(37.0)


def test_widths() -> None:
    tokens = (1, 64, 65, 128, 129, 193, 257, 512, 513, 1000, 1025)
    assert [width(one) for one in tokens] == [64, 64, 128, 128, 192, 256, 320, 512, 640, 1024, 1280]
    assert all(one <= width(one) <= max(NARROWEST + one, 5 * one // 4 + 1) for one in range(1, 5000))


def test_bfloat16_stays_near_float32() -> None:
    (ids,) = texts(12)
    exact, rough = Reading(network("lean llama")[0]), Reading(network("lean llama", torch.bfloat16)[0])
    one, other = exact.read((exact.open(ids), 12))[0], rough.read((rough.open(ids), 12))[0]
    assert other.dtype == torch.float32
    assert float((one - other).abs().max()) < 0.1 * float(one.std())


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_in_lockstep_have_the_logits_of_the_whole_sequence(family: Family) -> None:
    model = tiny_model(family)
    decode, rows = CachedDecoder(model, torch.float32), texts(*LENGTHS)
    whole = padded(rows, CPU)
    ids, mask = whole
    decode.extend(ids[:, :8], mask[:, :8])
    chosen = torch.tensor([2, 0, 2])
    decode.keep(chosen)
    ids, mask = ids[chosen], mask[chosen]
    middle = decode.extend(ids[:, 8:10], mask[:, 8:10], last=2)
    steps = [decode.extend(ids[:, t : t + 1], mask[:, t : t + 1]) for t in range(10, max(LENGTHS))]
    logits = torch.cat([middle, *steps], dim=1)
    for found, row in zip(logits, chosen.tolist(), strict=True):
        near(found, alone(model, rows[row])[-4:])


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
    (ids,) = texts(12)
    reading = Reading(LlamaNetwork(LlamaWeights(model, torch.float32)))
    near(reading.read((reading.open(ids), 12))[0], alone(model, ids))
    assert float((alone(model, ids) - alone(plain, ids)).abs().max()) > 1e-2


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
    assert not supports(model) and decoder_kind(model) == "packed"
    (ids,) = texts(9)
    reading = Reading(PackedNetwork(model, torch.float32))
    near(reading.read((reading.open(ids), 9))[0], alone(model, ids))


def test_longrope_models_are_used_where_their_frequencies_do_not_depend_on_the_batch() -> None:
    factors = {"short_factor": [1.0] * 4, "long_factor": [2.0] * 4, "rope_type": "longrope", "rope_theta": 1e4}
    shape = {"hidden_size": 32, "num_attention_heads": 4, "max_position_embeddings": 4096, "pad_token_id": 0}
    long = Phi3Config(**shape, rope_parameters=factors, original_max_position_embeddings=128)
    assert context_length(long) == 128
    assert context_length(Phi3Config(**shape)) == 4096
