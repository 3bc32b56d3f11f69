"""Prompts from the user's files: every row has a place or a reason, and no conversation is on both sides."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import solon
from solon.config.prompts import PromptsSection
from solon.data.apart import opening_words
from solon.pipeline.sources import PromptSets, prompt_files, prompt_sets


def write(path: Path, lines: Sequence[dict[str, str]]) -> str:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)


def red(number: int, **more: str) -> dict[str, str]:
    return {"prompt": f"How do I take bicycle {number} from its owner?", **more}


def good(number: int, answer: str = "Cut above a bud.") -> dict[str, str]:
    return {"prompt": f"How do I prune rose {number}?", "chosen": answer, "rejected": "No idea."}


LIBRARY = Path(solon.__file__).parent / "data" / "library"


def sets_of(
    folder: Path, red_team: Sequence[dict[str, str]], helpful: Sequence[dict[str, str]], **counts: int
) -> PromptSets:
    section = PromptsSection(
        source=write(folder / "red.jsonl", red_team), helpful=write(folder / "good.jsonl", helpful), **counts
    )
    return prompt_sets(section, 0)


def hashes_of(source: str, helpful: str | None) -> dict[str, str]:
    return prompt_files(PromptsSection(source=source, helpful=helpful))


def test_every_row_serves_or_has_a_reason(tmp_path: Path) -> None:
    sets = sets_of(
        tmp_path,
        [*map(red, range(20)), red(3), *(red(n, kind="benign") for n in range(20, 30))],
        [*map(good, range(20)), good(4, "Ask a gardener."), {"prompt": "How are you?", "response": "Well."}],
        harmful=8,
        mixed=2,
        benign=7,
        evaluation=4,
    )
    assert (len(sets.red_team), len(sets.helpful)) == (10, 7)
    assert sets.rows_in == 31 + 22
    assert sets.rows_in == sets.rows_out + sets.dropped.total()
    assert sets.dropped["duplicate"] == 1
    assert set(sets.dropped) == {
        "duplicate",
        "benign among the red-team prompts",
        "more than asked for",
        "of a held-out prompt",
    }
    assert sets.twins == {}
    kept = {prompt.id for prompt in sets.helpful}
    assert {row.prompt_id for row in (*sets.comparisons, *sets.demonstrations)} == kept


@pytest.mark.parametrize("form", [json.dumps, "[{0[0]},\n{0[1]}, {0[2]}, {0[3]},\n{0[4]}, {0[5]}]".format])
def test_items_of_a_list_that_share_a_line_are_rows_of_their_own(tmp_path: Path, form: Callable[[Any], str]) -> None:
    """As `json.dump` writes it, all items stand on one line."""

    def listed(name: str, rows: Sequence[dict[str, str]]) -> str:
        items = rows if form is json.dumps else [json.dumps(row) for row in rows]
        (tmp_path / name).write_text(form(items), encoding="utf-8")
        return str(tmp_path / name)

    red_team, helpful = [red(n) for n in range(6)], [good(n) for n in range(6)]
    by_line = sets_of(tmp_path, red_team, helpful, harmful=3, benign=3, evaluation=2)
    section = PromptsSection(
        source=listed("red.json", red_team), helpful=listed("good.json", helpful), harmful=3, benign=3, evaluation=2
    )
    by_item = prompt_sets(section, 0)
    assert [prompt.id for prompt in by_item.red_team] == [prompt.id for prompt in by_line.red_team]
    assert [prompt.id for prompt in by_item.helpful] == [prompt.id for prompt in by_line.helpful]
    assert [prompt.id for prompt in by_item.evaluation] == [prompt.id for prompt in by_line.evaluation]
    assert [row.id for row in by_item.comparisons] == [row.id for row in by_line.comparisons]
    assert by_item.dropped == by_line.dropped
    assert len({prompt.source for prompt in by_item.red_team}) == len(by_item.red_team)


def test_a_conversation_that_both_files_hold_is_on_one_side(tmp_path: Path) -> None:
    """Each file is split by itself, so a prompt held out of one could train from the other."""
    both = [{**good(n), "kind": "harmful"} for n in range(30)]
    red_team = [{"prompt": row["prompt"], "kind": row["kind"]} for row in both]
    sets = sets_of(tmp_path, red_team, [good(n) for n in range(0, 400, 2)], harmful=1000, evaluation=5, benign=1000)
    training = {opening_words(prompt) for prompt in (*sets.red_team, *sets.helpful)}
    assert sets.evaluation
    assert training.isdisjoint(opening_words(prompt) for prompt in sets.evaluation)
    assert sets.rows_in == sets.rows_out + sets.dropped.total()
    assert sets.dropped["held out, but opens like a training prompt"] > 0
    assert len({prompt.id for prompt in sets.evaluation}) == len(sets.evaluation)


def test_a_held_out_prompt_that_differs_in_marks_alone_is_left_out_and_counted(tmp_path: Path) -> None:
    """Splitting goes by letter case and spacing alone, so marks put both on different sides."""
    rows = [{"prompt": f"how do i take bicycle {n}"} for n in range(20)] + [*map(red, range(20, 30))]
    marked = [{"prompt": f"How do I take bicycle {n}?"} for n in range(20)]
    sets = sets_of(tmp_path, [*rows, *marked], [good(1), good(2)], harmful=100, evaluation=10)
    split, _ = sets.split(PromptsSection(source="red.jsonl"))
    assert split.equal == 0 and sets.dropped["held out, but opens like a training prompt"] > 0
    assert sets.rows_in == sets.rows_out + sets.dropped.total()


def test_the_world_holds_its_splits_apart_and_says_nothing_of_likeness() -> None:
    section = PromptsSection(source="world", harmful=40, mixed=20, benign=40, evaluation=30)
    split, told = prompt_sets(section, 0).split(section)
    assert (split.training, split.evaluation, split.equal, split.near_duplicates) == (140, 90, 0, None)
    assert told == []


def test_a_benign_prompt_of_both_files_is_asked_once(tmp_path: Path) -> None:
    red_team = [*map(red, range(10)), *({"prompt": good(n)["prompt"], "kind": "benign"} for n in range(10))]
    sets = sets_of(tmp_path, red_team, [good(n) for n in range(10)], evaluation=4)
    assert len({prompt.id for prompt in sets.evaluation}) == len(sets.evaluation)
    assert sets.rows_in == sets.rows_out + sets.dropped.total()


def test_the_files_are_part_of_what_the_prompts_are_made_from(tmp_path: Path) -> None:
    file, other = write(tmp_path / "red.jsonl", [red(1), red(2)]), write(tmp_path / "good.jsonl", [good(1)])
    before = hashes_of(file, other)
    assert set(before) == {"prompts_file", "prompts_file_name", "helpful_file", "helpful_file_name"}
    assert hashes_of(file, None) == {name: before[name] for name in ("prompts_file", "prompts_file_name")}
    renamed, moved = write(tmp_path / "other.jsonl", [red(1), red(2)]), tmp_path / "elsewhere"
    sections = [PromptsSection(source=path, evaluation=1) for path in (file, renamed)]
    rows = [prompt_sets(section, 0).red_team for section in sections]
    assert rows[0] != rows[1]  # the name is in every row
    assert hashes_of(renamed, other) != before
    moved.mkdir()
    assert hashes_of(write(moved / "red.jsonl", [red(1), red(2)]), other) == before
    write(tmp_path / "red.jsonl", [red(1), red(3)])
    after = hashes_of(file, other)
    assert after["prompts_file"] != before["prompts_file"] and after["helpful_file"] == before["helpful_file"]


def alone(number: int) -> dict[str, str]:
    return {"prompt": f"{good(number)['prompt']} (alone)", "kind": "benign"}


def test_helpful_prompts_alone_are_asked_and_no_row_is_lost(tmp_path: Path) -> None:
    """Prompts without an answer, mixed with rows that have one, some of the same prompt."""
    both = [{**good(n), "prompt": alone(n)["prompt"]} for n in range(10)]
    rows = [*map(alone, range(20)), *both, *map(good, range(20, 40))]
    sets = sets_of(tmp_path, [red(n) for n in range(10)], rows, benign=25, evaluation=6)
    asked = {prompt.turns[0].text for prompt in sets.helpful}
    held = {prompt.turns[0].text for prompt in sets.evaluation}
    assert {row["prompt"] for row in map(alone, range(20))} & asked
    assert {row["prompt"] for row in map(alone, range(20))} & held
    assert sets.comparisons or sets.demonstrations
    assert sets.rows_in == sets.rows_out + sets.dropped.total()


def test_a_file_of_prompts_alone_gives_neither_comparisons_nor_demonstrations(tmp_path: Path) -> None:
    sets = sets_of(tmp_path, [red(n) for n in range(10)], [alone(n) for n in range(10)], evaluation=2)
    assert (len(sets.helpful), sets.comparisons, sets.demonstrations) == (8, (), ())
    assert sets.dropped == {}
    assert sets.rows_in == sets.rows_out == 20


@pytest.mark.parametrize(("file", "kind"), [("red-team", "harmful"), ("helpful", "benign")])
def test_the_shipped_prompts_have_a_category_and_are_all_different(file: str, kind: str) -> None:
    lines = (LIBRARY / f"{file}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len({" ".join(row["prompt"].casefold().split()) for row in rows}) == len(rows) >= 200
    assert {row["kind"] for row in rows} == {kind}
    assert all(row["category"] for row in rows) and len({row["category"] for row in rows}) >= 10


def test_a_run_takes_the_shipped_prompts() -> None:
    section = PromptsSection(
        source=str(LIBRARY / "red-team.jsonl"), helpful=str(LIBRARY / "helpful.jsonl"), evaluation=40
    )
    sets = prompt_sets(section, 0)
    assert (len(sets.red_team), len(sets.helpful), len(sets.evaluation)) == (170, 162, 80)
