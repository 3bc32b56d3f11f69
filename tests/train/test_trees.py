"""Rows as trees: whole, and with the fewest tokens."""

from __future__ import annotations

from itertools import combinations, pairwise

import torch

from solon.train.trees import Tree, grow


def _rows(tree: Tree) -> dict[int, tuple[int, ...]]:
    return {row: tree.trunk + branch for branch, rows in zip(tree.branches, tree.rows, strict=True) for row in rows}


def _tokens(rows: list[tuple[int, ...]]) -> int:
    return sum(tree.tokens for tree in grow(rows))


def test_as_worked_in_the_docstring() -> None:
    assert grow([(1, 2, 3), (1, 2, 4), (5,), (1, 2, 3)]) == [
        Tree(trunk=(1, 2), branches=((3,), (4,)), rows=((0, 3), (1,))),
        Tree(trunk=(5,), branches=((),), rows=((2,),)),
    ]


def test_a_row_that_others_begin_with_has_an_empty_branch() -> None:
    (tree,) = grow([(1, 2, 3), (1, 2)])
    assert tree == Tree(trunk=(1, 2), branches=((), (3,)), rows=((1,), (0,)))
    assert tree.tokens == tree.longest == 3


def test_every_row_is_in_one_tree_as_it_was() -> None:
    draw = torch.Generator().manual_seed(0)
    rows = [
        tuple(torch.randint(0, 3, (int(n),), generator=draw).tolist())
        for n in torch.randint(1, 9, (200,), generator=draw)
    ]
    found = [(row, ids) for tree in grow(rows) for row, ids in _rows(tree).items()]
    assert sorted(found) == list(enumerate(rows))


def test_what_all_share_does_not_join_rows_that_share_more_with_some() -> None:
    """As where every dialogue begins with one system turn, and the four answers of a prompt share far more."""
    system = tuple(range(20))
    rows = [(*system, *[100 * prompt] * 30, answer, answer) for prompt in range(1, 4) for answer in range(4)]
    assert sorted(len(tree.trunk) for tree in grow(rows)) == [50, 50, 50]
    short = [(*system, 100 * prompt, answer) for prompt in range(1, 4) for answer in range(2)]
    assert [len(tree.trunk) for tree in grow(short)] == [20]


def test_trees_have_at_most_a_tenth_more_tokens_than_the_best_cut_of_sorted_rows() -> None:
    draw = torch.Generator().manual_seed(1)
    found = best = 0
    for _ in range(60):
        rows = sorted({tuple(torch.randint(0, 2, (6,), generator=draw).tolist()) for _ in range(6)})
        ways = (
            [0, *cuts, len(rows)] for count in range(len(rows)) for cuts in combinations(range(1, len(rows)), count)
        )
        fewest = min(sum(_one(rows[a:b]) for a, b in pairwise(way)) for way in ways)
        assert fewest <= _tokens(rows) <= min(_one(rows), sum(map(len, rows)))
        found, best = found + _tokens(rows), best + fewest
    assert found <= 1.1 * best


def _one(rows: list[tuple[int, ...]]) -> int:
    """Tokens of one tree of these rows."""
    shared = next(
        (at for at, column in enumerate(zip(*rows, strict=False)) if len(set(column)) > 1), min(map(len, rows))
    )
    return shared + sum(len(row) - shared for row in rows)


def test_thousands_of_rows_that_begin_each_other_are_no_harm() -> None:
    rows = [(1,) * length for length in range(1, 3000)]
    assert sum(len(tree.branches) for tree in grow(rows)) == len(rows)
