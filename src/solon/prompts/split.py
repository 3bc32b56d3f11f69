"""A few numbers about each row of a file that may be larger than memory, and what can be decided from them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from solon.errors import PromptError, Where
from solon.prompts.reading import Example
from solon.records import Prompt, PromptKind
from solon.seeds import derive_seed

KINDS: tuple[PromptKind, ...] = get_args(PromptKind)
_DIGEST_BITS = 48

Mask = NDArray[np.bool_]
Numbers = NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True)
class Survey:
    """One entry per row that is of use, each example once, in the order of the file. N: entries."""

    source: str | Path
    seed: int
    rows_N: Numbers
    prompts_N: Numbers
    """The prompt's kind and the hash in its id."""
    openings_N: Numbers
    """Where the conversation comes in the order of the draw; equal for prompts that open alike."""
    duplicates: int
    """Rows whose example came before."""

    @classmethod
    def of(cls, examples: Iterable[Example], source: str | Path, seed: int) -> Survey:
        """Goes through the examples, and keeps none."""
        rows, keys, prompts, openings = (array("Q") for _ in range(4))
        for example in examples:
            rows.append(example.row)
            prompts.append(KINDS.index(example.prompt.kind) << _DIGEST_BITS | _hash(example.prompt.id))
            keys.append(_hash(example.id) if example.answers else prompts[-1])
            openings.append(derive_seed(seed, "split", opening_of(example.prompt)))
        every = cls(
            source=source,
            seed=seed,
            rows_N=_numbers(rows),
            prompts_N=_numbers(prompts),
            openings_N=_numbers(openings),
            duplicates=0,
        )
        return every._each_once(_numbers(keys))

    def __len__(self) -> int:
        return len(self.rows_N)

    @property
    def benign_N(self) -> Mask:
        """Which entries are of kind `benign`."""
        benign_N: Mask = self.prompts_N >> np.uint64(_DIGEST_BITS) == KINDS.index("benign")
        return benign_N

    def prompts_once(self) -> Survey:
        """The entries that name a prompt for the first time."""
        return self._each_once(self.prompts_N)

    def held_out(self, evaluation: int, max_share: float = 0.2) -> Mask:
        """Which prompts to hold out: about `evaluation`, at most `max_share` of all, at least one.

        Whole conversations are held out: prompts that open with the same human turn (white space and letter case aside)
        stay together, because data sets hold one conversation at several lengths. Which are held out depends on the
        seed and on their text, not on their order. `max_share`: assumption. Every prompt must be there once.
        Raises `PromptError` if all prompts are one conversation.
        """
        openings, sizes = np.unique(self.openings_N, return_counts=True)
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
        return np.isin(self.openings_N, openings[held])

    def choose(self, among_N: Mask, count: int) -> Mask:
        """At most `count` of the prompts `among_N`; which ones depends on the seed and their ids alone."""
        places = np.flatnonzero(among_N)
        order = array("Q", (derive_seed(self.seed, "choose", _id(name)) for name in self.prompts_N[places].tolist()))
        chosen_N = np.zeros(len(self), dtype=bool)
        chosen_N[places[np.argsort(_numbers(order), kind="stable")[:count]]] = True
        return chosen_N

    def _each_once(self, keys_N: Numbers) -> Survey:
        first = np.sort(np.unique(keys_N, return_index=True)[1])
        return replace(
            self,
            rows_N=self.rows_N[first],
            prompts_N=self.prompts_N[first],
            openings_N=self.openings_N[first],
            duplicates=len(self) - len(first),
        )


def opening_of(prompt: Prompt) -> str:
    """The first human turn without what does not tell conversations apart: letter case and white space."""
    text = next(turn.text for turn in prompt.turns if turn.role != "system")
    return " ".join(text.casefold().split())


def _numbers(values: array[int]) -> Numbers:
    return np.frombuffer(values, dtype=np.uint64) if values else np.zeros(0, dtype=np.uint64)


def _hash(name: str) -> int:
    """The number that an id ends with."""
    return int(name.rpartition("-")[2], 16)


def _id(prompt: int) -> str:
    """The id of a prompt of the survey."""
    return f"{KINDS[prompt >> _DIGEST_BITS]}-{prompt & (1 << _DIGEST_BITS) - 1:012x}"
