from __future__ import annotations

from solon.prompting.guard import Guard


def test_a_mark_is_broken_before_its_last_character() -> None:
    assert Guard(["<|end|>"])("a<|end|>b<|end|>") == "a<|end| >b<|end| >"


def test_no_mark_survives_inside_another() -> None:
    guard = Guard(["<s>", "<s><s>", "x"])
    assert guard("<s><s>") == "<s ><s >"
    assert guard.marks == ("<s><s>", "<s>")


def test_without_marks_nothing_changes() -> None:
    assert Guard([])("anything") == "anything"


def test_what_a_normalizer_makes_is_looked_at() -> None:
    guard = Guard(["[END]"], str.upper)
    assert guard("not the [end]") == "NOT THE [END ]"
    assert guard("nothing to see") == "nothing to see"
