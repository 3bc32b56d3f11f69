"""Copies of rows in given places: the product of a matrix of zeros and ones with rows of numbers, and its gradient.

R rows that are given   S rows that are made
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Selection:
    """Which of R rows each of S rows is a copy of. Its transpose gives each of the R rows the sum of its copies."""

    row_S: Tensor
    """A row's number; -1: none, and what is made is 0."""
    rows: int
    """R."""

    @cached_property
    def bags(self) -> tuple[Tensor, Tensor]:
        """The rows that are copied, S' of them, and where those of each of the S begin."""
        real_S = self.row_S >= 0
        return self.row_S[real_S], _starts(real_S.long())

    @cached_property
    def bags_of_transpose(self) -> tuple[Tensor, Tensor]:
        """The same for the transpose: the copies, and where those of each of the R begin."""
        order_S = self.row_S.argsort(stable=True)
        copied_R = torch.bincount(self.row_S + 1, minlength=self.rows + 1)
        return order_S[copied_R[0] :], _starts(copied_R[1:])


def _starts(counts: Tensor) -> Tensor:
    return counts.cumsum(0) - counts


class _Selected(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, given: Tensor, selection: Selection, transposed: bool) -> Tensor:
        ctx.selection, ctx.transposed = selection, transposed
        return _sums(given, *(selection.bags_of_transpose if transposed else selection.bags))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        selection: Selection = ctx.selection
        return _sums(grad, *(selection.bags if ctx.transposed else selection.bags_of_transpose)), None, None


def _sums(rows: Tensor, bags: Tensor, starts: Tensor) -> Tensor:
    """Of each bag the sum of its rows, in float32 and always in the same order."""
    sums: Tensor = torch.embedding_bag(rows.contiguous(), bags, starts, mode=0)[0]
    return sums


_selected: Callable[[Tensor, Selection, bool], Tensor] = _Selected.apply


def copies(rows_RE: Tensor, selection: Selection) -> Tensor:
    """[S, E]."""
    return _selected(rows_RE, selection, False)


def sums(rows_SE: Tensor, selection: Selection) -> Tensor:
    """[R, E]: by the transpose."""
    return _selected(rows_SE, selection, True)
