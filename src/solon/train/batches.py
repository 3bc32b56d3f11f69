"""From texts to examples and micro-batches: tokenizing, a reproducible order, what is read at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import TypeVar

from transformers import PreTrainedTokenizerBase

from solon.models.tokens import encode_continuation, encode_prompt
from solon.seeds import generator
from solon.train.trees import Tokens, grow

Rows = Callable[[int], Sequence[Tokens]]
"""The rows of an example by its index: one, or the two of a pair."""


@dataclass(frozen=True, kw_only=True)
class TokenExample:
    """One sequence and which of its tokens the loss counts. The first token is never predicted, so it never counts."""

    id: str
    input_ids: tuple[int, ...]
    loss_mask: tuple[bool, ...]
    """True: the prediction of this token counts."""
    prompt: str = ""
    """What the examples of one prompt have in common."""

    def __post_init__(self) -> None:
        if len(self.input_ids) != len(self.loss_mask):
            raise ValueError(f"{self.id}: {len(self.input_ids)} tokens but {len(self.loss_mask)} mask entries")

    @classmethod
    def answered(
        cls, example_id: str, prompt_ids: Sequence[int], answer_ids: Sequence[int], *, prompt: str = ""
    ) -> TokenExample:
        """A prompt and its answer; the loss counts the answer."""
        mask = (False,) * len(prompt_ids) + (True,) * len(answer_ids)
        return cls(id=example_id, input_ids=(*prompt_ids, *answer_ids), loss_mask=mask, prompt=prompt)

    def __len__(self) -> int:
        return len(self.input_ids)


def answer_example(tokenizer: PreTrainedTokenizerBase, example_id: str, prompt: str, answer: str) -> TokenExample:
    """A prompt and its answer as a `DialogueFormat` writes them; the loss counts the answer, its end mark included."""
    answer_ids = encode_continuation(tokenizer, prompt, answer)
    return TokenExample.answered(example_id, encode_prompt(tokenizer, prompt), answer_ids, prompt=prompt)


Example = TypeVar("Example", bound=Sized)
"""Anything whose length is in tokens."""


def fit(examples: Iterable[Example], max_tokens: int) -> tuple[list[Example], Counter[str]]:
    """Examples that fit the model's context, and how many were dropped by reason. Nothing is ever cut short."""
    given = list(examples)
    kept = [example for example in given if len(example) <= max_tokens]
    return kept, +Counter({"longer than the model's context": len(given) - len(kept)})


def epoch_order(count: int, run_seed: int, *names: str | int) -> list[int]:
    """A permutation of range(count), the same on every machine for the same names."""
    return [int(index) for index in generator(run_seed, *names).permutation(count)]


def grouped_order(groups: Sequence[Hashable], run_seed: int, *names: str | int) -> list[int]:
    """The same for examples of groups, which stay together: groups are permuted, not what is in them."""
    members: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    lists = list(members.values())
    return [index for at in epoch_order(len(lists), run_seed, *names) for index in lists[at]]


def cut(indices: Sequence[int], size: int) -> list[list[int]]:
    """Consecutive batches of `size`; the last may be smaller."""
    return [list(indices[start : start + size]) for start in range(0, len(indices), size)]


def micro_batches(indices: Sequence[int], rows_of: Rows, limit: int, *, packed: bool) -> list[list[int]]:
    """`indices` cut into parts that a model reads at once: within `limit` tokens, padding included, or packed.

    Packed, what rows share counts once, and rows that share much come together. An index is never cut: one with more
    tokens than the limit gets a part of its own.
    """
    if packed:
        return _packed_parts(indices, rows_of, limit)
    lengths = {index: len(rows_of(index)) * max(map(len, rows_of(index))) for index in indices}
    return by_length(indices, lengths, limit)


def by_length(indices: Sequence[int], lengths: Sequence[int] | Mapping[int, int], limit: int) -> list[list[int]]:
    """`indices` sorted by length and cut so that rows times longest row stays within `limit` padded tokens.

    Example: lengths (5, 1, 2, 2), limit 6: rows 1, 2, 3 padded to 2 take 6 tokens, row 0 takes 5: [[1, 2, 3], [0]].
    """
    batches: list[list[int]] = []
    for index in sorted(indices, key=lambda index: (lengths[index], index)):
        if batches and (len(batches[-1]) + 1) * lengths[index] <= limit:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def _packed_parts(indices: Sequence[int], rows_of: Rows, limit: int) -> list[list[int]]:
    trees = grow([rows_of(index)[0] for index in indices])  # the first row says whom an index shares with
    alike = [[indices[at] for rows in tree.rows for at in rows] for tree in trees]
    bundles = sorted(bundle for some in alike for bundle in _within(some, rows_of, limit))
    batches: list[list[int]] = []
    spent = limit
    for tokens, some in bundles:
        if spent + tokens > limit:
            batches.append([])
            spent = 0
        batches[-1] += some
        spent += tokens
    return batches


def _within(some: list[int], rows_of: Rows, limit: int) -> Iterator[tuple[int, list[int]]]:
    """(packed tokens, indices), halved until they are within the limit."""
    tokens = sum(tree.tokens for tree in grow([row for index in some for row in rows_of(index)]))
    if tokens <= limit or len(some) == 1:
        yield tokens, some
        return
    middle = len(some) // 2
    yield from _within(some[:middle], rows_of, limit)
    yield from _within(some[middle:], rows_of, limit)
