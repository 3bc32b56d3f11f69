"""Attention of packs by FlexAttention, which torch writes out on a processor, beside attention by masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.attention import flex_attention

from solon.lm.attention import Attention
from solon.train import flex
from solon.train.flex import Flex, seen_blocks
from solon.train.forest import Forest, fault_of_flex
from solon.train.trees import grow
from train.test_attention import CPU, HEADS, KEY_HEADS, ROWS, WIDTH


@pytest.fixture
def gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch has them for what it writes out, but refuses to give them on a processor."""
    monkeypatch.setattr(flex_attention, "_validate_device", lambda *_: None)
    fault_of_flex.cache_clear()


def _gathered(way: str, packed: Forest, how: Attention) -> list[Tensor]:
    drawn = torch.Generator().manual_seed(0)
    given = [
        torch.randn(len(packed.ids_N), heads, WIDTH, generator=drawn, requires_grad=True)
        for heads in (HEADS, KEY_HEADS, KEY_HEADS)
    ]
    gathered = getattr(packed, way).attend(given[0], given[1], given[2], how)
    return [gathered, *torch.autograd.grad((gathered**2).sum(), given)]


@pytest.mark.usefixtures("gradients")
@pytest.mark.parametrize("how", [Attention(), Attention(window=3), Attention(softcap=0.5)], ids=str)
def test_tokens_gather_what_they_gather_by_masks_and_so_do_gradients(how: Attention) -> None:
    packed = Forest(grow(ROWS), CPU)
    torch.testing.assert_close(_gathered("flex", packed, how), _gathered("masks", packed, how), atol=1e-5, rtol=1e-5)


def test_blocks_that_are_passed_over_are_those_in_which_no_token_sees_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside all pairs of tokens, of pieces of 1 to 20 tokens in blocks of 4, with trunks and without."""
    monkeypatch.setattr(flex, "BLOCK", 4)
    draw = np.random.default_rng(0)
    lengths = draw.integers(1, 21, 40).tolist()
    trunk = [piece if piece < 10 else int(draw.integers(0, 10)) for piece in range(40)]
    piece_N = np.repeat(np.arange(40), lengths)
    place_N = np.arange(len(piece_N))
    before = np.array(trunk)[piece_N][:, None] == piece_N
    sees = ((piece_N[:, None] == piece_N) & (place_N <= place_N[:, None])) | (before & (piece_N != piece_N[:, None]))
    blocks = -(-len(sees) // 4)
    padded = np.pad(sees, ((0, blocks * 4 - len(sees)),) * 2)
    share_QC = padded.reshape(blocks, 4, blocks, 4).mean(axis=(1, 3))
    some_QC, whole_QC = seen_blocks(lengths, trunk)
    assert (some_QC == ((share_QC > 0) & (share_QC < 1))).all() and (whole_QC == (share_QC == 1)).all()
    assert 0 < whole_QC.sum() < some_QC.sum() < some_QC.size / 4


def test_a_block_that_is_seen_whole_is_looked_into_within_a_window() -> None:
    packed = Forest(grow([tuple(range(600))]), CPU)
    for window, whole in ((None, 6), (100, 0)):
        mask = packed.flex._mask(window)
        assert mask.full_kv_num_blocks is not None and int(mask.full_kv_num_blocks.sum()) == whole
        assert int(mask.kv_num_blocks.sum()) + whole == 15


@pytest.mark.parametrize(("tokens", "width", "serves"), [(129, 64, True), (128, 64, False), (129, 8, False)])
def test_short_packs_and_heads_of_other_widths_or_with_sinks_are_left_to_masks(
    tokens: int, width: int, serves: bool
) -> None:
    query, value = torch.zeros(tokens, 4, width), torch.zeros(tokens, 2, width)
    assert Flex.serves(query, value, Attention()) is serves
    assert not Flex.serves(query, value, Attention(sinks_H=torch.zeros(4)))


@pytest.mark.usefixtures("gradients")
def test_a_trial_finds_it_right() -> None:
    assert fault_of_flex(CPU, torch.float32) is None
    assert fault_of_flex(CPU, torch.bfloat16) is None


@pytest.mark.usefixtures("gradients")
def test_a_trial_finds_tokens_that_do_not_see_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Flex._sees

    def wrong(self: Flex, window: int | None) -> Any:
        sees = right(self, window)
        return lambda batch, head, q, c: sees(batch, head, q, c) & ((q != c) | (self._position_N[q] == 0))

    monkeypatch.setattr(Flex, "_sees", wrong)
    assert "from attention by masks" in (fault_of_flex(CPU, torch.bfloat16) or "")


@pytest.mark.usefixtures("gradients")
def test_a_trial_finds_what_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """In gradients of keys alone, after an answer that is right."""
    right = Flex.attend

    def wrong(self: Flex, query: Tensor, key: Tensor, value: Tensor, how: Attention) -> Tensor:
        key.register_hook(lambda grad: grad * torch.nan)
        return right(self, query, key, value, how)

    monkeypatch.setattr(Flex, "attend", wrong)
    assert "0.0%, 0.0%, nan%, 0.0% from" in (fault_of_flex(CPU, torch.float32) or "")


def test_a_trial_says_what_cannot_be_compiled() -> None:
    """On a processor there are no gradients."""
    fault_of_flex.cache_clear()
    assert (fault_of_flex(CPU, torch.float32) or "").startswith(
        "cannot be compiled (NotImplementedError: FlexAttention"
    )
    fault_of_flex.cache_clear()
