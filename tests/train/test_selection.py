"""Rows in given places, and sums of copies: beside the matrix written out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from solon.train.selection import Selection, copies, sums

ROW_S = [3, 0, -1, 3, 1, 3, -1]
"""Of four rows: one is copied three times, one never, and two places stay empty."""


def matrix_SR() -> Tensor:
    return torch.stack([torch.eye(4)[row] if row >= 0 else torch.zeros(4) for row in ROW_S])


@pytest.mark.parametrize("transposed", [False, True])
def test_values_and_gradients_are_those_of_the_product(transposed: bool) -> None:
    matrix = matrix_SR().T if transposed else matrix_SR()
    drawn = torch.Generator().manual_seed(0)
    given = torch.randn(matrix.shape[1], 3, generator=drawn, requires_grad=True)
    factor = torch.randn(matrix.shape[0], 3, generator=drawn)
    made = (sums if transposed else copies)(given, Selection(torch.tensor(ROW_S), 4))
    torch.testing.assert_close(made, matrix @ given)
    (gradient,) = torch.autograd.grad((made * factor).sum(), given)
    torch.testing.assert_close(gradient, matrix.T @ factor)


def test_many_small_numbers_are_not_lost_beside_a_large_one() -> None:
    """256 + 1 is 256 in bfloat16, however often it is added."""
    rows = torch.tensor([256.0] + [1.0] * 64, dtype=torch.bfloat16)[:, None]
    assert sums(rows, Selection(torch.zeros(65, dtype=torch.long), 1)).item() == 320
