"""Tokenising, micro-batches, orders, padding."""

from __future__ import annotations

import pytest
import torch

from solon.train.batches import TokenExample, answer_example, collate, cut, epoch_order, fit, micro_batches
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


def test_micro_batches_as_worked_in_the_docstring() -> None:
    assert micro_batches(range(4), (5, 1, 2, 2), 6) == [[1, 2, 3], [0]]


def test_micro_batches_hold_every_row_once_within_the_limit() -> None:
    lengths = [int(n) for n in torch.randint(1, 40, (100,), generator=torch.Generator().manual_seed(0))]
    chosen = list(range(0, 100, 3))
    parts = micro_batches(chosen, lengths, 64)
    assert sorted(row for part in parts for row in part) == chosen
    assert all(len(part) * max(lengths[row] for row in part) <= 64 for part in parts)
    assert micro_batches([0], [100], 64) == [[0]]


def test_orders_are_permutations_that_depend_on_their_names_alone() -> None:
    assert sorted(epoch_order(50, 0, "sft", 0)) == list(range(50))
    assert epoch_order(50, 0, "sft", 0) == epoch_order(50, 0, "sft", 0)
    assert len({tuple(epoch_order(50, *names)) for names in ((0, "sft", 0), (0, "sft", 1), (1, "sft", 0))}) == 3
    assert cut([3, 1, 2], 2) == [[3, 1], [2]]


def test_collating_pads_on_the_right_and_finds_targets_and_the_positions_before_them() -> None:
    batch = collate([_example(False, True, True), _example(False, True, start=50)], 0, CPU)
    assert batch.input_ids_BT.tolist() == [[5, 6, 7], [50, 51, 0]]
    assert batch.attention_mask_BT.tolist() == [[True, True, True], [True, True, False]]
    assert batch.target_ids_N.tolist() == [6, 7, 51]
    assert batch.before_mask_BT.tolist() == [[True, True, False], [True, False, False]]


def test_the_first_token_is_never_predicted() -> None:
    assert collate([_example(True, True)], 0, CPU).target_ids_N.tolist() == [6]
