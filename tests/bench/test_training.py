"""What claims on training count, and how they choose a peer's settings."""

from __future__ import annotations

import torch

from measuring.products import Once, Passes, distinct_tokens
from measuring.training import HELD_OUT, taught
from measuring.turns import median_seconds
from peers.trl_settings import Settings, fastest
from solon.train.batches import TokenExample


def example(prompt: tuple[int, ...], answer: tuple[int, ...]) -> TokenExample:
    return TokenExample.answered("", prompt, answer)


def test_common_beginnings_count_once() -> None:
    assert distinct_tokens([(1, 2, 3), (1, 2, 4, 3)]) == 5


def test_the_head_reads_what_predicts_an_answer_once() -> None:
    """Prompt 1 2, answers 3 4 and 3 5: 1 2 3 4 5 are read; 2 predicts 3, and 3 predicts 4 and 5."""
    step = [example((1, 2), (3, 4)), example((1, 2), (3, 5))]
    assert Once.of([step]) == Once(read=5, predicting=2)
    assert Once.of([step, step]) == Once(read=10, predicting=4)  # other weights read the second


def test_prompts_that_begin_alike_share_no_prediction() -> None:
    """Of 1 2 | 4 and 1 3 | 4, the tokens 2 and 3 predict."""
    assert Once.of([[example((1, 2), (4,)), example((1, 3), (4,))]]) == Once(read=5, predicting=2)


def test_small_products_are_repeated() -> None:
    """2 * 6 operations a token, three times that with gradients; 1e11 of them in passes of 10 tokens."""
    weights = [torch.ones(2, 3)]
    assert Passes(weights_NK=weights, side_by_side=10, backward=False).tokens == 8_333_333_330
    assert Passes(weights_NK=weights, side_by_side=10, backward=True).tokens == 2_777_777_780


def test_no_prompt_is_on_both_sides() -> None:
    groups = [str(row // 4) for row in range(1000)]
    learned, unseen = taught(groups, 90, 32)
    assert len(learned) == 64 and len(unseen) == HELD_OUT
    assert not {groups[row] for row in learned} & {groups[row] for row in unseen}
    assert len(taught(groups[:40], 1000, 8)[0]) == 32  # nine tenths, in whole steps


def test_a_side_prepares_for_each_turn() -> None:
    did: list[str] = []
    sides = {name: lambda name=name: did.append(name) for name in ("a", "b")}
    median_seconds(sides, 2, {"b": lambda: did.append("before b")})
    assert did == ["a", "before b", "b"] * 2


def test_the_fastest_settings_are_found_one_after_the_other() -> None:
    def seconds(tried: Settings) -> float:
        return tried.rows + 4 * (tried.attention == "sdpa") + 2 * (not tried.bf16) + tried.padding_free

    assert fastest(32, 99, bf16=True, padding_free=True, seconds=seconds) == Settings(
        rows=8, bf16=True, attention="eager"
    )
    assert fastest(32, 99, bf16=False, seconds=seconds) == Settings(rows=8, bf16=False, attention="eager")


def test_no_more_rows_are_tried_than_fit() -> None:
    tried: list[Settings] = []

    def seconds(settings: Settings) -> float:
        tried.append(settings)
        return 1.0

    fastest(32, 16, bf16=True, seconds=seconds)
    assert {settings.rows for settings in tried} == {16, 8}
