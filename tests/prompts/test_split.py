from __future__ import annotations

from pathlib import Path

import pytest

from solon.errors import PromptError
from solon.prompts.read import read_prompts
from solon.prompts.split import choose_prompts, split_prompts
from solon.prompts.turns import prompt_id
from solon.records import Prompt, PromptKind, Turn


def prompt(*texts: str, kind: PromptKind = "harmful") -> Prompt:
    turns = tuple(Turn(role="assistant" if n % 2 else "human", text=text) for n, text in enumerate(texts))
    return Prompt(id=prompt_id(kind, turns), kind=kind, turns=turns)


MANY = [prompt(f"request {n}") for n in range(50)]


def test_the_two_sides_are_disjoint_and_complete() -> None:
    split = split_prompts(MANY, evaluation=7, seed=0)
    assert len(split.evaluation) == 7
    assert not set(split.training) & set(split.evaluation)
    assert {*split.training, *split.evaluation} == set(MANY)


def test_at_most_a_fifth_is_held_out_and_at_least_one() -> None:
    assert len(split_prompts(MANY, evaluation=500, seed=0).evaluation) == 10
    assert len(split_prompts(MANY[:2], evaluation=500, seed=0).evaluation) == 1


def test_conversations_are_held_out_whole() -> None:
    family = [prompt("Where?"), prompt("where? ", "There.", "And now?"), prompt("Where?", "Here.", "And then?")]
    for seed in range(20):
        split = split_prompts([*family, *MANY], evaluation=10, seed=seed)
        held = sum(p in split.evaluation for p in family)
        assert held in (0, 3)


def test_conversations_larger_than_the_target_can_still_be_held_out() -> None:
    family = [prompt("Where?", "There.", f"{n}?") for n in range(3)]
    other = [prompt("When?", "Then.", f"{n}?") for n in range(2)]
    assert set(split_prompts([*family, *other], evaluation=1, seed=0).evaluation) == set(other)


def test_the_split_depends_on_text_and_seed_not_on_order() -> None:
    forwards = split_prompts(MANY, evaluation=10, seed=3)
    backwards = split_prompts(MANY[::-1], evaluation=10, seed=3)
    assert set(forwards.evaluation) == set(backwards.evaluation)
    assert set(forwards.evaluation) != set(split_prompts(MANY, evaluation=10, seed=4).evaluation)
    assert [p for p in MANY if p in forwards.training] == list(forwards.training)


def test_one_conversation_cannot_be_split() -> None:
    with pytest.raises(PromptError, match="at least two conversations"):
        split_prompts([prompt("a"), prompt("A", "b", "c")], evaluation=1, seed=0)


def test_choosing_depends_on_ids_and_keeps_the_order() -> None:
    chosen = choose_prompts(MANY, 12, seed=0)
    assert len(chosen) == 12
    assert list(chosen) == [p for p in MANY if p in chosen]
    assert set(choose_prompts(MANY[::-1], 12, seed=0)) == set(chosen)
    assert set(choose_prompts(MANY, 12, seed=1)) != set(chosen)
    assert choose_prompts(MANY, 99, seed=0) == tuple(MANY)


def test_no_published_conversation_is_on_both_sides(reference_data: Path) -> None:
    file = read_prompts(reference_data / "hh-rlhf" / "harmless-base-test.jsonl.gz", "harmful")
    split = split_prompts(file.prompts, evaluation=400, seed=0)
    openings = [{p.turns[0].text.casefold() for p in side} for side in (split.training, split.evaluation)]
    assert not openings[0] & openings[1]
    assert len(split.evaluation) == 400
