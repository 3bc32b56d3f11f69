"""Rows that share a beginning, as trees of one trunk and its branches, so that what they share is computed once.

In this method nearly everything shares one: the revisions of a prompt, the two answers of a pair, the group of an RL
step. One level of branches is kept: a deeper tree would save 2% more tokens of the world run (measured), and attention
would no longer be a few products.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from solon.lm.prefixes import common_length

Tokens = Sequence[int]


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Rows that begin alike. A row alone is all trunk, with one empty branch."""

    trunk: tuple[int, ...]
    branches: tuple[tuple[int, ...], ...]
    """What follows the trunk, each once."""
    rows: tuple[tuple[int, ...], ...]
    """By branch, the numbers of the rows that are trunk and branch."""

    @property
    def tokens(self) -> int:
        return len(self.trunk) + sum(map(len, self.branches))

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return len(self.trunk) + max(map(len, self.branches))


@dataclass(frozen=True, eq=False)
class Piece:
    """A trunk, or a branch behind one."""

    tokens: Tokens
    trunk: Piece | None = None

    @property
    def begin(self) -> int:
        """The position of its first token."""
        return len(self.trunk.tokens) if self.trunk else 0

    @property
    def end(self) -> int:
        return self.begin + len(self.tokens)

    @property
    def path(self) -> list[Piece]:
        """From the beginning of its rows."""
        return [self.trunk, self] if self.trunk else [self]


def ends(tree: Tree) -> Iterator[tuple[Piece, Sequence[int]]]:
    """The last piece of each of its rows, and the numbers of these."""
    trunk = Piece(tree.trunk) if tree.trunk else None
    for branch, rows in zip(tree.branches, tree.rows, strict=True):
        yield (Piece(branch, trunk) if branch or trunk is None else trunk), rows


def grow(rows: Sequence[Tokens]) -> list[Tree]:
    """The trees of these rows: whatever begins alike is one, unless smaller ones save more tokens; rows that are equal
    are one branch.

    Example: rows (1, 2, 3), (1, 2, 4), (5,), (1, 2, 3): a trunk (1, 2) with branches (3,), of rows 0 and 3, and (4,);
    and a trunk (5,).
    """
    alike: dict[tuple[int, ...], list[int]] = {}
    for number, row in enumerate(rows):
        alike.setdefault(tuple(row), []).append(number)
    if not alike:
        return []
    distinct = sorted(alike)
    if not distinct:
        return []
    shared = [common_length(one, other) for one, other in pairwise(distinct)]
    return [_tree(distinct[start:stop], shared[start : stop - 1], alike) for start, stop in _cut(shared)]


def _tree(distinct: list[tuple[int, ...]], shared: list[int], alike: dict[tuple[int, ...], list[int]]) -> Tree:
    trunk = min(shared, default=len(distinct[0]))
    return Tree(
        trunk=distinct[0][:trunk],
        branches=tuple(row[trunk:] for row in distinct),
        rows=tuple(tuple(alike[row]) for row in distinct),
    )


@dataclass(frozen=True, kw_only=True)
class _Part:
    """Sorted rows that stand together."""

    start: int
    stop: int
    saved: int = 0
    """Tokens that its trees save."""
    trees: tuple[tuple[int, int], ...]
    """Where each begins and ends."""

    @classmethod
    def of(cls, parts: Sequence[_Part], least: int) -> _Part:
        """Parts that share so many tokens and no more: one tree, or left as they are, whatever saves more."""
        start, stop, apart = parts[0].start, parts[-1].stop, sum(part.saved for part in parts)
        together = least * (stop - start - 1)
        if least and together >= apart:
            return cls(start=start, stop=stop, saved=together, trees=((start, stop),))
        return cls(start=start, stop=stop, saved=apart, trees=tuple(tree for part in parts for tree in part.trees))


def _cut(shared: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Where trees begin and end among sorted rows, of which neighbors share so many tokens."""
    open_parts: list[tuple[int, list[_Part]]] = []
    """By what they share, less first."""
    for at, least in enumerate([*shared, -1]):
        part = _Part(start=at, stop=at + 1, trees=((at, at + 1),))
        while open_parts and open_parts[-1][0] > least:
            common, parts = open_parts.pop()
            part = _Part.of([*parts, part], common)
        if open_parts and open_parts[-1][0] == least:
            open_parts[-1][1].append(part)
        else:
            open_parts.append((least, [part]))
    return open_parts[0][1][0].trees
