from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.examples import read_prompts
from solon.data.reading import Example
from solon.data.split import Survey, opening_of
from solon.data.turns import prompt_id
from solon.errors import PromptError
from solon.records import Prompt, PromptKind, Turn
from solon.seeds import derive_seed


def prompt(*texts: str, kind: PromptKind = "harmful", system: str | None = None) -> Prompt:
    turns = tuple(Turn(role="assistant" if n % 2 else "human", text=text) for n, text in enumerate(texts))
    if system is not None:
        turns = (Turn(role="system", text=system), *turns)
    return Prompt(id=prompt_id(kind, turns), kind=kind, turns=turns)


MANY = [prompt(f"request {n}") for n in range(50)]


def survey(prompts: Sequence[Prompt], seed: int = 0) -> Survey:
    return Survey.of((Example(row=n, prompt=p) for n, p in enumerate(prompts, start=1)), "p.jsonl", seed)


def split(prompts: Sequence[Prompt], *, evaluation: int, seed: int) -> tuple[list[Prompt], list[Prompt]]:
    """(training, evaluation) of prompts that are all different."""
    held = survey(prompts, seed).held_out(evaluation)
    return ([p for p, out in zip(prompts, held, strict=True) if not out], [prompts[n] for n in np.flatnonzero(held)])


def choose(prompts: Sequence[Prompt], count: int, *, seed: int) -> list[Prompt]:
    found = survey(prompts, seed)
    return [prompts[n] for n in np.flatnonzero(found.choose(np.ones(len(found), dtype=bool), count))]


def test_the_two_sides_are_disjoint_and_complete() -> None:
    training, evaluation = split(MANY, evaluation=7, seed=0)
    assert len(evaluation) == 7
    assert not set(training) & set(evaluation)
    assert {*training, *evaluation} == set(MANY)


def test_at_most_a_fifth_is_held_out_and_at_least_one() -> None:
    assert len(split(MANY, evaluation=500, seed=0)[1]) == 10
    assert len(split(MANY[:2], evaluation=500, seed=0)[1]) == 1


def test_conversations_are_held_out_whole() -> None:
    family = [
        prompt("Where?"),
        prompt("where? ", "There.", "And now?"),
        prompt("Where?", "Here.", "And then?", system="Be brief."),
    ]
    for seed in range(20):
        _, evaluation = split([*family, *MANY], evaluation=10, seed=seed)
        held = sum(p in evaluation for p in family)
        assert held in (0, 3)


def test_conversations_larger_than_the_target_can_still_be_held_out() -> None:
    family = [prompt("Where?", "There.", f"{n}?") for n in range(3)]
    other = [prompt("When?", "Then.", f"{n}?") for n in range(2)]
    assert set(split([*family, *other], evaluation=1, seed=0)[1]) == set(other)


def test_the_split_depends_on_text_and_seed_not_on_order() -> None:
    forwards = split(MANY, evaluation=10, seed=3)
    backwards = split(MANY[::-1], evaluation=10, seed=3)
    assert set(forwards[1]) == set(backwards[1])
    assert set(forwards[1]) != set(split(MANY, evaluation=10, seed=4)[1])


def test_one_conversation_cannot_be_split() -> None:
    with pytest.raises(PromptError, match="at least two conversations"):
        split([prompt("a"), prompt("A", "b", "c")], evaluation=1, seed=0)


def test_choosing_depends_on_ids_and_keeps_the_order() -> None:
    chosen = choose(MANY, 12, seed=0)
    assert len(chosen) == 12
    assert chosen == [p for p in MANY if p in chosen]
    assert set(choose(MANY[::-1], 12, seed=0)) == set(chosen)
    assert set(choose(MANY, 12, seed=1)) != set(chosen)
    assert choose(MANY, 99, seed=0) == MANY


def test_an_entry_is_kept_once_at_its_first_line() -> None:
    found = survey([MANY[0], MANY[1], MANY[0], prompt("request 0", kind="mixed"), MANY[1]])
    assert (found.entries_N["row"].tolist(), found.duplicates) == ([1, 2, 4], 2)


def split_plainly(prompts: Sequence[Prompt], evaluation: int, seed: int) -> list[Prompt]:
    """The held-out prompts, by the rule written over records in memory."""
    groups: dict[str, list[Prompt]] = defaultdict(list)
    for one in prompts:
        groups[opening_of(one)].append(one)
    target = max(1, min(evaluation, int(len(prompts) * 0.2)))
    order = sorted(groups, key=lambda opening: derive_seed(seed, "split", opening))
    held: set[str] = set()
    size = 0
    for opening in order:
        if size + len(groups[opening]) <= target:
            held.add(opening)
            size += len(groups[opening])
    if not held:
        held.add(min(order, key=lambda opening: len(groups[opening])))
    return [one for one in prompts if opening_of(one) in held]


def choose_plainly(prompts: Sequence[Prompt], count: int, seed: int) -> list[Prompt]:
    chosen = set(sorted((p.id for p in prompts), key=lambda name: derive_seed(seed, "choose", name))[:count])
    return [p for p in prompts if p.id in chosen]


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4)), min_size=2, max_size=60, unique=True),
    st.integers(1, 12),
    st.integers(0, 2**40),
)
def test_numbers_decide_as_the_records_do(names: list[tuple[int, int]], count: int, seed: int) -> None:
    """Openings of every size; by a plain reference over whole records."""
    prompts = [prompt(f"opening {one}", "Yes.", f"then {two}") for one, two in names]
    assert choose(prompts, count, seed=seed) == choose_plainly(prompts, count, seed)
    if len({one for one, _ in names}) > 1:
        assert split(prompts, evaluation=count, seed=seed)[1] == split_plainly(prompts, count, seed)


def test_no_published_conversation_is_on_both_sides(reference_data: Path) -> None:
    file = read_prompts(reference_data / "hh-rlhf" / "harmless-base-test.jsonl.gz", "harmful")
    training, evaluation = split(file.prompts, evaluation=400, seed=0)
    openings = [{p.turns[0].text.casefold() for p in side} for side in (training, evaluation)]
    assert not openings[0] & openings[1]
    assert len(evaluation) == 400
