"""Keys and values of many sequences, within a budget of tokens.

Rows of like length lie side by side in a block, one tensor a layer: a product over all of them is one call, and wants
them contiguous (a processor multiplies strided bfloat16 ten times as slowly). A row that outgrows its block moves to a
wider one. A beginning that many rows share, the trunk, is held once for all rows of a block.

    R rows   K key-value heads   C columns, one a token   E head width   P tokens of a trunk
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

NARROWEST = 64
"""Columns of the narrowest block."""
Place = tuple[int, ...]


@dataclass(eq=False, kw_only=True)
class Sequence:
    """Tokens in order, of which the first `known` have keys and values."""

    ids: list[int]
    most: int
    """Tokens that it may come to have."""
    owner: Place | None = None
    """The row of the stage that it was last read for; none for a trunk."""
    known: int = 0
    busy: bool = True
    """Whether somebody works on it; one that is idle is kept for whoever shares its beginning."""
    used: int = 0
    """When it was last busy, as a count."""
    trunk: Sequence | None = None
    block: Block | None = None
    row: int = 0

    @property
    def base(self) -> int:
        """Tokens that its trunk holds for it."""
        return self.trunk.known if self.trunk else 0

    def keys(self, layer: int) -> Tensor:
        """Of the row's own columns, [K, C, E]."""
        assert self.block
        return self.block.keys[layer][self.row]

    def values(self, layer: int) -> Tensor:
        assert self.block
        return self.block.values[layer][self.row]


@dataclass(eq=False, kw_only=True)
class Block:
    """Rows of one width behind one trunk."""

    number: int
    """Later ones have higher numbers."""
    trunk: Sequence | None
    columns: int
    keys: list[Tensor]
    """Per layer [R, K, C, E]."""
    values: list[Tensor]
    rows: list[Sequence | None] = field(default_factory=list)

    def idle(self) -> Iterator[Sequence]:
        return (row for row in self.rows if row and not row.busy)

    def busy(self) -> int:
        return sum(row is not None and row.busy for row in self.rows)

    def arrange(self, kept: list[int], extra: int = 0) -> None:
        """Goes on with these rows, in this order, and with new empty ones. Layer by layer, so little is held twice."""
        self.keys = [_arranged(tensor, kept, extra) for tensor in self.keys]
        self.values = [_arranged(tensor, kept, extra) for tensor in self.values]
        self.rows = [self.rows[row] for row in kept] + [None] * extra
        for place, row in enumerate(self.rows):
            if row:
                row.row = place


def _arranged(tensor: Tensor, kept: list[int], extra: int) -> Tensor:
    new = tensor.new_empty(len(kept) + extra, *tensor.shape[1:])
    torch.index_select(tensor, 0, torch.tensor(kept, dtype=torch.long, device=tensor.device), out=new[: len(kept)])
    new[len(kept) :].zero_()  # a masked score must still be a number
    return new


def width(tokens: int) -> int:
    """Columns of the block for so many tokens: 64, 128, 192, ... 512, 640, ... 1024, 1280, ...: a quarter too much at
    most, beyond the narrowest."""
    step = max(NARROWEST, 1 << max(0, (tokens - 1).bit_length() - 3))
    return -(-tokens // step) * step


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a layer keeps of one token."""

    keys: tuple[int, int]
    """(K, E)"""
    values: tuple[int, int]


class Cache:
    """Blocks, within `budget` tokens."""

    def __init__(self, layers: list[Shape], *, dtype: torch.dtype, device: torch.device, budget: int):
        self.budget = budget
        self._layers, self._dtype, self._device = layers, dtype, device
        self._blocks: dict[tuple[Sequence | None, int], Block] = {}
        self._trunks: dict[Sequence, Block] = {}
        self._clock = self._numbered = 0

    @property
    def held(self) -> int:
        """Tokens that there is memory for."""
        own = sum(len(block.rows) * block.columns for block in self._blocks.values())
        return own + sum(block.columns for block in self._trunks.values())

    def sequences(self) -> Iterator[Sequence]:
        """All that are kept, trunks first."""
        yield from self._trunks
        for block in self._blocks.values():
            yield from (row for row in block.rows if row)

    def clear(self) -> None:
        """Gives all memory back, at once: blocks and their rows know each other."""
        for block in (*self._blocks.values(), *self._trunks.values()):
            block.keys, block.values, block.rows = [], [], []
        self._blocks, self._trunks = {}, {}

    def touch(self, sequence: Sequence) -> None:
        self._clock += 1
        sequence.used = self._clock

    def room_for(self, most: int, trunk: Sequence | None = None) -> bool:
        """Whether a row that may come to have `most` columns behind a trunk fits beside all that the busy ones may come
        to have. One row more than that is kept free, for the one that moves."""
        coming = [width(row.most - row.base) for row in self.sequences() if row.busy and row.owner is not None]
        coming.append(width(most))
        used = {trunk, *(row.trunk for row in self.sequences() if row.busy)}
        trunks = sum(len(one.ids) for one in self._trunks if one.busy or one in used)
        return sum(coming) + max(coming) + trunks <= self.budget

    def open_trunk(self, sequence: Sequence) -> list[Sequence]:
        """Gives a trunk its place; returns the sequences that had to go."""
        gone = self._free(len(sequence.ids))
        block = self._block(None, len(sequence.ids))
        block.arrange([], 1)
        sequence.block, sequence.row, block.rows[0] = block, 0, sequence
        self._trunks[sequence] = block
        return gone

    def open(self, sequence: Sequence, columns: int, *, beside: int = 0, kept: Container[Place] = ()) -> list[Sequence]:
        """Gives a sequence a row of at least so many columns; returns the sequences that had to go.

        Args:
            beside: rows that may want a place in the same block soon.
            kept: owners whose idle sequences stay while there is memory.
        """
        columns, gone = width(columns), []
        key = (sequence.trunk, columns)
        block = self._blocks.get(key) or self._blocks.setdefault(key, self._block(sequence.trunk, columns))
        idle = (row for row in block.idle() if row.owner not in kept)
        if None not in block.rows and (old := min(idle, key=_age, default=None)):
            gone.append(old)
            self.close(old)
        if None not in block.rows:
            gone += self._free(columns, sequence.trunk)
        if None not in block.rows:
            extra = max(1, min(beside, (self.budget - self.held) // columns))
            block.arrange(list(range(len(block.rows))), extra)
            self._blocks[key] = block
        row = block.rows.index(None)
        sequence.block, sequence.row, block.rows[row] = block, row, sequence
        return gone

    def move(self, sequence: Sequence, columns: int) -> list[Sequence]:
        """Gives a sequence that outgrows its row a wider one."""
        assert sequence.block
        old = Sequence(ids=sequence.ids, most=0, known=sequence.known, trunk=sequence.trunk, owner=sequence.owner)
        old.block, old.row = sequence.block, sequence.row
        old.block.rows[old.row] = old
        gone = self.open(sequence, columns, beside=len(old.block.rows))
        self.copy(old, sequence, sequence.known)
        self.close(old)
        return gone

    def copy(self, source: Sequence, target: Sequence, known: int) -> None:
        """The target then knows the first `known` tokens, which are the source's too."""
        target.known = known
        for holder, base, start, stop in _parts(source, target.base, known):
            ours, theirs = slice(start - target.base, stop - target.base), slice(start - base, stop - base)
            for layer in range(len(self._layers)):
                target.keys(layer)[:, ours] = holder.keys(layer)[:, theirs]
                target.values(layer)[:, ours] = holder.values(layer)[:, theirs]

    def close(self, sequence: Sequence, *, clean: bool = False) -> None:
        """Forgets a sequence. `clean`: it holds what are not numbers, which would spoil whoever gets its row."""
        block = sequence.block
        if block is None:
            return
        for layer in range(len(self._layers) if clean else 0):
            sequence.keys(layer).zero_()
            sequence.values(layer).zero_()
        block.rows[sequence.row] = None
        self._trunks.pop(sequence, None)
        sequence.block = None

    def compact(self, share: float) -> list[Sequence]:
        """Drops the idle rows of every block of which less than this share is busy, its empty rows at the end left out
        unless the share is 1; returns them."""
        gone: list[Sequence] = []
        for key, block in list(self._blocks.items()):
            used = max((place + 1 for place, row in enumerate(block.rows) if row), default=0)
            if not used or block.busy() < share * (len(block.rows) if share >= 1 else used):
                idle = list(block.idle())
                for row in idle:
                    self.close(row)
                block.arrange([place for place, row in enumerate(block.rows) if row])
                gone += idle
            if not block.rows:
                del self._blocks[key]
        return gone

    def _free(self, columns: int, kept: Sequence | None = None) -> list[Sequence]:
        """Makes room for so many more, of what nobody works on, but for one trunk; returns what had to go."""
        if self.held + columns <= self.budget:
            return []
        gone = self.compact(1.0)
        used = {kept, *(row.trunk for row in self.sequences())}
        idle = [trunk for trunk in self._trunks if not trunk.busy and trunk not in used]
        for trunk in idle:
            self.close(trunk)
        return gone + idle

    def _block(self, trunk: Sequence | None, columns: int) -> Block:
        def empty(heads: int, width: int) -> Tensor:
            return torch.zeros(0, heads, columns, width, dtype=self._dtype, device=self._device)

        keys, values = [empty(*layer.keys) for layer in self._layers], [empty(*layer.values) for layer in self._layers]
        self._numbered += 1
        return Block(number=self._numbered, trunk=trunk, columns=columns, keys=keys, values=values)


def _age(sequence: Sequence) -> int:
    return sequence.used


def _parts(source: Sequence, start: int, stop: int) -> Iterable[tuple[Sequence, int, int, int]]:
    """Where the source's tokens from `start` to `stop` are: (holder, its base, from, to)."""
    if source.trunk and start < source.base:
        yield source.trunk, 0, start, min(stop, source.base)
    if stop > max(start, source.base):
        yield source, source.base, max(start, source.base), stop
