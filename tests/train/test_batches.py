"""Tokenising, micro-batches, orders, padding."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from solon.train.batches import (
    TokenExample,
    answer_example,
    by_length,
    cut,
    epoch_order,
    fit,
    grouped_order,
    micro_batches,
)
from solon.train.layout import collate
from solon.train.trees import grow
from tiny_models import END, tiny_tokenizer

CPU = torch.device("cpu")


def _example(*mask: bool, start: int = 5) -> TokenExample:
    return TokenExample(id="x", input_ids=tuple(range(start, start + len(mask))), loss_mask=mask)


def test_an_answer_is_tokenized_behind_its_prompt_and_counts_with_its_end_mark() -> None:
    tokenizer = tiny_tokenizer()
    prompt, answer = "\n\nHuman: The gardener?\n\nAssistant:", f" Ring the bell.{END}"
    example = answer_example(tokenizer, "row", prompt, answer)
    counted = [token for token, counts in zip(example.input_ids, example.loss_mask, strict=True) if counts]
    assert counted == [*tokenizer.encode(" Ring the bell."), tokenizer.eos_token_id]
    assert list(example.input_ids) == tokenizer.encode(prompt + answer)


def test_a_prompt_is_cut_as_it_is_when_the_model_has_nothing_else() -> None:
    tokenizer = tiny_tokenizer()
    prompt, answer = "\n\nHuman: The gard", "ener."
    example = answer_example(tokenizer, "row", prompt, answer)
    assert list(example.input_ids) == tokenizer.encode(prompt) + tokenizer.encode(answer)
    assert tokenizer.encode(prompt + answer) != list(example.input_ids), "the cut should matter for this text"


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="row: 2 tokens but 1 mask entries"):
        TokenExample(id="row", input_ids=(1, 2), loss_mask=(True,))


def test_what_does_not_fit_is_dropped_and_counted_never_cut_short() -> None:
    short, long = _example(False, True), _example(False, True, True)
    kept, dropped = fit([short, long, long], 2)
    assert kept == [short]
    assert dropped == {"longer than the model's context": 2}


def test_by_length_as_worked_in_the_docstring() -> None:
    assert by_length(range(4), (5, 1, 2, 2), 6) == [[1, 2, 3], [0]]


def _some_rows(count: int = 100) -> list[tuple[int, ...]]:
    lengths = torch.randint(1, 40, (count,), generator=torch.Generator().manual_seed(0)).tolist()
    return [(row % 7,) * (length // 2) + tuple(range(length - length // 2)) for row, length in enumerate(lengths)]


def test_padded_micro_batches_hold_every_index_once_within_the_limit() -> None:
    rows, chosen = _some_rows(), list(range(0, 100, 3))
    parts = micro_batches(chosen, lambda index: [rows[index]], 64, packed=False)
    assert sorted(row for part in parts for row in part) == chosen
    assert all(len(part) * max(len(rows[row]) for row in part) <= 64 for part in parts)
    assert micro_batches([0], lambda _: [(1,) * 100], 64, packed=False) == [[0]]


def test_packed_micro_batches_count_what_rows_share_once() -> None:
    rows, chosen = _some_rows(), list(range(0, 100, 3))
    parts = micro_batches(chosen, lambda index: [rows[index]], 64, packed=True)
    assert sorted(row for part in parts for row in part) == chosen
    assert all(sum(tree.tokens for tree in grow([rows[row] for row in part])) <= 64 for part in parts)
    assert micro_batches([0], lambda _: [(1,) * 100], 64, packed=True) == [[0]]
    alike = [(*range(30), number) for number in range(10)]
    assert len(micro_batches(range(10), lambda index: [alike[index]], 40, packed=True)) == 1
    assert len(micro_batches(range(10), lambda index: [alike[index]], 40, packed=False)) == 10


def test_pairs_of_one_prompt_come_together_and_are_never_torn() -> None:
    prompts = {index: tuple(range(100 * (index % 3), 100 * (index % 3) + 20)) for index in range(9)}
    pairs = {index: [(*prompt, 900 + index), (*prompt, 950 + index)] for index, prompt in prompts.items()}
    parts = micro_batches(range(9), pairs.__getitem__, 26, packed=True)
    assert sorted(map(sorted, parts)) == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]
    assert sorted(map(len, micro_batches(range(9), pairs.__getitem__, 25, packed=True))) == [1, 1, 1, 2, 2, 2]


def test_orders_are_permutations_that_depend_on_their_names_alone() -> None:
    assert sorted(epoch_order(50, 0, "sft", 0)) == list(range(50))
    assert epoch_order(50, 0, "sft", 0) == epoch_order(50, 0, "sft", 0)
    assert len({tuple(epoch_order(50, *names)) for names in ((0, "sft", 0), (0, "sft", 1), (1, "sft", 0))}) == 3
    assert cut([3, 1, 2], 2) == [[3, 1], [2]]


def test_a_grouped_order_permutes_groups_and_leaves_what_is_in_them() -> None:
    groups = ["a", "b", "a", "c", "b", "a"]
    order = grouped_order(groups, 0, "sft", 0)
    assert sorted(order) == list(range(6)) and order == grouped_order(groups, 0, "sft", 0)
    names = [groups[index] for index in order]
    assert [index for index in order if groups[index] == "a"] == [0, 2, 5]
    assert sum(one != other for one, other in pairwise(names)) == 2
    assert len({tuple(grouped_order(groups, seed, "sft", 0)) for seed in range(9)}) > 2


ROWS = [(5, 6, 7), (5, 6, 8), (50, 51), (5, 6, 7)]
MASKS = [(False, True, True), (False, True, True), (True, True), (False, False, True)]


def test_padded_rows_and_the_places_before_what_counts() -> None:
    batch = collate(ROWS, MASKS, device=CPU, pad_id=0)
    assert batch.input_ids_BT.tolist() == [[5, 6, 7], [5, 6, 8], [50, 51, 0], [5, 6, 7]]
    assert batch.attention_mask_BT is not None and batch.attention_mask_BT.tolist()[2] == [True, True, False]
    assert batch.target_ids_N.tolist() == [6, 7, 6, 8, 51, 7]
    assert batch.before_N.tolist() == [0, 1, 3, 4, 6, 10]
    assert batch.last_R.tolist() == [2, 5, 7, 11]
    assert batch.weight_N.tolist() == [1] * 6


def test_packed_rows_hold_what_they_share_once() -> None:
    batch = collate(ROWS, MASKS, device=CPU)
    assert batch.forest is not None
    ids = batch.input_ids_BT[0].tolist()
    assert sorted(ids) == [5, 6, 7, 8, 50, 51]
    assert [ids[at] for at in batch.last_R.tolist()] == [7, 8, 51, 7]
    assert [ids[at] for at in batch.before_N.tolist()] == [5, 6, 5, 6, 50, 6]
    assert dict(zip(ids, batch.forest.positions_N.tolist(), strict=True)) == {5: 0, 6: 1, 7: 2, 8: 2, 50: 0, 51: 1}


@pytest.mark.parametrize("pad_id", [None, 0])
def test_merged_what_several_rows_predict_from_one_place_counts_with_their_number(pad_id: int | None) -> None:
    batch = collate(ROWS, MASKS, device=CPU, pad_id=pad_id, merged=True)
    found = sorted(zip(batch.target_ids_N.tolist(), batch.weight_N.tolist(), strict=True))
    assert found == (
        [(6, 2), (7, 2), (8, 1), (51, 1)] if pad_id is None else [(6, 1), (6, 1), (7, 1), (7, 1), (8, 1), (51, 1)]
    )


def test_the_first_token_is_never_predicted() -> None:
    assert collate([(5, 6)], [(True, True)], device=CPU).target_ids_N.tolist() == [6]
