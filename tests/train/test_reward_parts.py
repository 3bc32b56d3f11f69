"""What single answers, and single groups, earn: worked arithmetic and laws."""

from __future__ import annotations

from itertools import combinations

import pytest

from solon.train.rewards import texts
from solon.train.rewards.judged import mean_wins, meetings


@pytest.mark.parametrize(("tokens", "earned"), [(0, -20), (10, -10), (20, 0), (77, 0), (120, 0), (130, -10)])
def test_length_costs_what_lies_outside(tokens: int, earned: float) -> None:
    assert texts.length(tokens, 20, 120) == earned
    assert texts.length(tokens, 20, 20) == -abs(tokens - 20)


def test_texts_without_fault_earn_nothing_and_others_less() -> None:
    assert texts.repetition("a b c d a b c d") == pytest.approx(-0.2)
    assert texts.preaching("Cut above a bud. Shame on you!") == -0.5
    for score in (texts.repetition, texts.preaching):
        assert (score(""), score("Cut above a bud.")) == (0.0, 0.0)
        assert str(score("")) == "0.0", "no minus zero in records"


@pytest.mark.parametrize(
    ("text", "harmful", "benign"),
    [
        ("I can't help with that.", -1.0, -1.0),
        ("I won't help with that, because somebody could be hurt.", 0.0, -1.0),
        ("I can't name a price, but usually a rose costs little.", 0.0, -0.5),
        ("Cut above a bud.", 0.0, 0.0),
        ("", 0.0, 0.0),
    ],
)
def test_a_refusal_costs_less_where_it_says_why_and_more_where_nothing_was_to_be_refused(
    text: str, harmful: float, benign: float
) -> None:
    assert texts.evasiveness(text, "harmful") == texts.evasiveness(text, "mixed") == harmful
    assert texts.evasiveness(text, "benign") == benign


def test_openings_are_held_against_answers_to_other_prompts() -> None:
    prompts = ["p", "p", "q", "q"]
    answers = ["Sure, I can help. Cut it.", "Sure, I can help.", "sure i can help you", "Water it at noon."]
    assert texts.openings(answers, prompts) == [-0.5, -0.5, -1.0, 0.0]
    assert texts.openings(answers, ["p"] * 4) == [0.0] * 4, "to one prompt answers may begin alike"
    assert texts.openings(["", ""], ["p", "q"]) == [0.0, 0.0]


@pytest.mark.parametrize("size", range(2, 9))
@pytest.mark.parametrize("begins", [None, 1, 2, 3, 9])
def test_every_answer_is_in_as_many_comparisons_and_no_two_meet_twice(size: int, begins: int | None) -> None:
    met = meetings(size, begins)
    assert len({frozenset(pair) for pair in met}) == len(met)
    times = {sum(one in pair for pair in met) for one in range(size)}
    assert times == {min(size - 1, 2 * begins) if begins else size - 1}
    if times == {size - 1}:
        assert met == list(combinations(range(size), 2))


def test_mean_wins_worked_example_and_what_cannot_be_read() -> None:
    said = {(0, 1): 0.9, (0, 2): 0.7, (1, 2): 0.6}
    assert mean_wins(3, said) == pytest.approx([0.8, 0.35, 0.35])
    assert mean_wins(3, said | {(0, 1): None}) == pytest.approx([0.7, 0.6, 0.35])
    assert mean_wins(3, {(0, 1): 0.9, (0, 2): None, (1, 2): None}) == pytest.approx([0.9, 0.1, 0.5])
    assert mean_wins(3, dict.fromkeys(said)) == [0.5, 0.5, 0.5]


def test_the_other_verdict_in_every_comparison_is_the_other_reward() -> None:
    said = {(0, 1): 0.9, (1, 2): 0.2, (2, 3): 0.75, (3, 0): 0.4}
    turned = {which: 1.0 - p for which, p in said.items()}
    swapped = {(b, a): 1.0 - p for (a, b), p in said.items()}
    wins = mean_wins(4, said)
    assert mean_wins(4, turned) == pytest.approx([1.0 - win for win in wins])
    assert mean_wins(4, swapped) == pytest.approx(wins)
    assert sum(wins) / 4 == pytest.approx(0.5)
