"""Training and evaluation are held against each other by their words."""

from __future__ import annotations

import pytest

from solon.data.apart import NearDuplicate, held_apart, near_duplicates, opening_words, words_of
from solon.errors import PromptError
from solon.records import Prompt, Turn


def prompt(number: int, *texts: str, file: str = "red.jsonl", system: str = "") -> Prompt:
    turns = [Turn(role="assistant" if at % 2 else "human", text=text) for at, text in enumerate(texts)]
    first = [Turn(role="system", text=system)] if system else []
    return Prompt(id=f"p{number}", kind="harmful", turns=(*first, *turns), source=f"{file}:{number}")


TAUGHT = [prompt(1, "How do I steal a car?"), prompt(2, "Is it late?"), prompt(3, "How do I steal a car?")]


def test_equal_words_are_refused_with_both_places_and_how_many() -> None:
    """Letter case, marks, spacing and the system turn do not make another prompt of it."""
    asked = [
        prompt(7, "how do I  steal a car"),
        prompt(8, "Who is there?"),
        prompt(9, "Is it late!", system="Be kind."),
    ]
    with pytest.raises(PromptError) as caught:
        held_apart(TAUGHT, asked, near=True)
    assert str(caught.value).splitlines() == [
        "red.jsonl:7: an evaluation prompt has the words of the training prompt red.jsonl:1",
        "red.jsonl:9: an evaluation prompt has the words of the training prompt red.jsonl:2",
        "2 of 3 evaluation prompts are training prompts too (take one of each two out of the files)",
    ]


def test_a_near_duplicate_is_told_and_kept() -> None:
    """5 of 6 pairs of words, as `How do I steal a car now?` has them."""
    asked = [prompt(7, "How do I steal a car now?"), prompt(8, "How do I steal a bike?")]
    split, told = held_apart(TAUGHT, asked, near=True)
    assert (split.training, split.evaluation, split.equal, split.near_duplicates) == (3, 2, 0, 1)
    assert split.worst == (NearDuplicate(evaluation="p7", training="p1", alike=0.833),)
    assert told == [
        "1 of 2 evaluation prompts are near-duplicates of training prompts (70% or more of their pairs of words in "
        "common), the most alike: red.jsonl:7 and red.jsonl:1 (83%)"
    ]


def test_without_a_look_nothing_is_said_of_near_duplicates() -> None:
    split, told = held_apart(TAUGHT, [prompt(7, "How do I steal a car now?")], near=False)
    assert (split.near_duplicates, split.worst, told) == (None, (), [])


def test_each_evaluation_prompt_counts_once_with_the_training_prompt_most_like_it() -> None:
    taught = [prompt(1, "one two three four five six seven"), prompt(2, "one two three four five six seven eight nine")]
    asked = [prompt(5, "one two three four five six seven eight"), prompt(6, "nothing of the kind")]
    found = near_duplicates(taught, asked)
    assert [(near.evaluation.id, near.training.id, round(near.alike, 3)) for near in found] == [("p5", "p2", 0.875)]


def test_prompts_without_words_are_told_by_their_marks() -> None:
    assert words_of(prompt(1, "?!")) == "?!" != words_of(prompt(2, "!!"))
    assert opening_words(prompt(1, "Where?", "There.", "Thanks!")) == "where"
