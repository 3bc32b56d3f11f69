"""A few numbers about each row of a file that may be larger than memory, and what can be decided from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from solon.data.reading import Example
from solon.errors import PromptError, Where
from solon.records import Prompt, PromptKind
from solon.seeds import derive_seed

KINDS: tuple[PromptKind, ...] = get_args(PromptKind)
_DIGEST_BITS = 48

_ENTRY = np.dtype([(name, np.uint64) for name in ("row", "example", "prompt", "opening")])

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Survey:
    """One entry per row that is of use, each example once, in the order of the file. N: entries."""

    source: str | Path
    seed: int
    entries_N: NDArray[np.void]
    """`row`: its number. `example`: a hash. `prompt`: its kind and the hash in its id. `opening`: where the
    conversation comes in the order of the draw; equal for prompts that open alike."""
    duplicates: int = 0
    """Rows whose example came before."""

    @classmethod
    def of(cls, examples: Iterable[Example], source: str | Path, seed: int) -> Survey:
        """Goes through the examples, and keeps none."""
        entries_N = np.fromiter((_entry(example, seed) for example in examples), dtype=_ENTRY)
        return cls(source=source, seed=seed, entries_N=entries_N).once("example")

    def __len__(self) -> int:
        return len(self.entries_N)

    @property
    def benign_N(self) -> Mask:
        """Which entries are of kind `benign`."""
        benign_N: Mask = self.entries_N["prompt"] >> np.uint64(_DIGEST_BITS) == KINDS.index("benign")
        return benign_N

    @property
    def alone_N(self) -> Mask:
        """Which entries are a prompt without an answer."""
        alone_N: Mask = self.entries_N["example"] == self.entries_N["prompt"]
        return alone_N

    def once(self, name: Literal["example", "prompt"]) -> Survey:
        """The entries that have an example or a prompt for the first time."""
        first = np.sort(np.unique(self.entries_N[name], return_index=True)[1])
        return replace(self, entries_N=self.entries_N[first], duplicates=len(self) - len(first))

    def rows(self, among_N: Mask) -> frozenset[int]:
        """The numbers of the rows of these entries."""
        return frozenset(self.entries_N["row"][among_N].tolist())

    def held_out(self, evaluation: int, max_share: float = 0.2) -> Mask:
        """Which prompts to hold out: about `evaluation`, at most `max_share` of all, at least one.

        Whole conversations are held out: prompts that open with the same human turn (white space and letter case aside)
        stay together, because data sets hold one conversation at several lengths. Which are held out depends on the
        seed and on their text, not on their order. `max_share`: assumption. Every prompt must be there once.
        Raises `PromptError` if all prompts are one conversation.
        """
        openings, sizes = np.unique(self.entries_N["opening"], return_counts=True)
        if len(openings) < 2:
            raise PromptError(
                f"all prompts ({len(self)}) open in the same way, so none can be held out for evaluation",
                where=Where(self.source),
                hint="give prompts from at least two conversations",
            )
        left = max(1, min(evaluation, int(len(self) * max_share)))
        held: list[int] = []
        for place, size in enumerate(sizes.tolist()):
            if size <= left:
                held.append(place)
                left -= size
        if not held:  # every conversation is larger than the target
            held.append(int(np.argmin(sizes)))
        return np.isin(self.entries_N["opening"], openings[held])

    def choose(self, among_N: Mask, count: int) -> Mask:
        """At most `count` of the prompts `among_N`; which ones depends on the seed and their ids alone."""
        places = np.flatnonzero(among_N)
        names = (_id(prompt) for prompt in self.entries_N["prompt"][places].tolist())
        order = np.fromiter((derive_seed(self.seed, "choose", name) for name in names), dtype=np.uint64)
        chosen_N = np.zeros(len(self), dtype=bool)
        chosen_N[places[np.argsort(order, kind="stable")[:count]]] = True
        return chosen_N


def opening_of(prompt: Prompt) -> str:
    """The first human turn without what does not tell conversations apart: letter case and white space."""
    text = next(turn.text for turn in prompt.turns if turn.role != "system")
    return " ".join(text.casefold().split())


def _entry(example: Example, seed: int) -> tuple[int, int, int, int]:
    prompt = KINDS.index(example.prompt.kind) << _DIGEST_BITS | _hash(example.prompt.id)
    opening = derive_seed(seed, "split", opening_of(example.prompt))
    return example.row, _hash(example.id) if example.answers else prompt, prompt, opening


def _hash(name: str) -> int:
    """The number that an id ends with."""
    return int(name.rpartition("-")[2], 16)


def _id(prompt: int) -> str:
    """The id of a prompt of the survey."""
    return f"{KINDS[prompt >> _DIGEST_BITS]}-{prompt & (1 << _DIGEST_BITS) - 1:012x}"
