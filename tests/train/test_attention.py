"""Attention within a pack: beside each row by itself, written out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from solon.lm.attention import Attention
from solon.train import attention
from solon.train.forest import Forest
from solon.train.trees import grow

ROWS = [(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), (1, 2, 3, 4, 5, 6, 7, 8, 11), (20, 21, *range(22, 40)), (20, 21, 50), (60,)]
"""A long trunk with short branches, a short one with a long branch and a short one, and a row alone."""
HEADS, KEY_HEADS, WIDTH = 4, 2, 8
CPU = torch.device("cpu")


def alone(query_THE: Tensor, key_TKE: Tensor, value_TKE: Tensor, how: Attention) -> Tensor:
    each = HEADS // KEY_HEADS
    key_THE, value_THE = (one.repeat_interleave(each, dim=1) for one in (key_TKE, value_TKE))
    scores_HTT = torch.einsum("the,uhe->htu", query_THE * how.scale, key_THE)
    distance_TT = torch.arange(len(query_THE))[:, None] - torch.arange(len(query_THE))
    hidden_TT = (distance_TT < 0) | (distance_TT >= (how.window or len(query_THE)))
    return torch.einsum("htu,uhe->the", scores_HTT.masked_fill(hidden_TT, -torch.inf).softmax(-1), value_THE)


@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize(("padding", "short"), [(100_000, 300), (0, 300), (100_000, 0)])
def test_tokens_attend_as_in_their_row_alone(
    window: int | None, padding: int, short: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In few parts and in many, written out and fused."""
    monkeypatch.setattr(attention, "PADDING", padding)
    monkeypatch.setattr(attention, "SHORT_ROWS", short)
    forest, how = Forest(grow(ROWS), CPU), Attention(scale=0.5, window=window)
    drawn = torch.Generator().manual_seed(0)
    given = [
        torch.randn(len(forest.ids_N), heads, WIDTH, generator=drawn, requires_grad=True)
        for heads in (HEADS, KEY_HEADS, KEY_HEADS)
    ]
    together = forest.attend(0, given[0], given[1], given[2], how)
    loss, own_loss = together.new_zeros(()), together.new_zeros(())
    for row, ids in enumerate(ROWS):
        place = torch.from_numpy(forest.places[row])
        assert forest.ids_N[place].tolist() == list(ids)
        assert forest.positions_N[place].tolist() == list(range(len(ids)))
        own = alone(given[0][place], given[1][place], given[2][place], how)
        torch.testing.assert_close(together[place], own)
        loss, own_loss = loss + (together[place] ** 2).sum(), own_loss + (own**2).sum()
    gradients, expected = torch.autograd.grad(loss, given), torch.autograd.grad(own_loss, given)
    torch.testing.assert_close(gradients, expected, atol=1e-5, rtol=1e-5)


def test_another_part_where_padding_would_cost_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trunks by themselves, 8, 2 and 1 long; branches by their ends: 18 tokens up to 20, and few up to 10, 9 and 3."""
    found = []
    for padding in (100_000, 100, 0):
        monkeypatch.setattr(attention, "PADDING", padding)
        found.append(len(Forest(grow(ROWS), CPU)._parts))
    assert found == [2, 4, 7]
