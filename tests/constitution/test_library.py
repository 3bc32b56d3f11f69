from __future__ import annotations

from pathlib import Path

import pytest

from solon.constitution.lint import lint
from solon.constitution.load import LIBRARY, find_constitution, load_constitution, shipped
from solon.constitution.principles import Principle


def test_the_library_is_data() -> None:
    assert {path.suffix for path in LIBRARY.iterdir() if path.name != "__pycache__"} <= {".toml", ".md"}
    assert {"harmlessness", "helpful-honest-harmless", "charter"} <= set(shipped())


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_constitution_loads_under_its_file_name(name: str) -> None:
    constitution = load_constitution(name)
    assert constitution.name == name == find_constitution(name).stem
    assert constitution.title
    assert constitution.description


@pytest.mark.parametrize("name", ["harmlessness", "helpful-honest-harmless", "charter"])
def test_ours_pass_their_own_linter(name: str) -> None:
    assert [str(finding) for finding in lint(name)] == []


def test_harmlessness_has_sixteen_of_each_and_guards_against_the_other_side() -> None:
    constitution = load_constitution("harmlessness")
    assert len(constitution.critique_principles()) == 16
    assert len(constitution.comparison_principles()) == 16
    balance = ("preaching", "evasion", "proportion", "good-counsel")
    assert [one.id for one in constitution.comparison_principles(["balance"])] == list(balance)


def test_the_three_aims_can_be_drawn_on_alone() -> None:
    constitution = load_constitution("helpful-honest-harmless")
    for aim in ("helpful", "honest", "harmless"):
        assert len(constitution.critique_principles([aim])) == len(constitution.comparison_principles([aim])) == 4


def test_the_charter_has_an_order_of_all_articles_and_hard_constraints() -> None:
    charter = load_constitution("charter")
    assert charter.kind == "document"
    assert set(charter.precedence) == {one.id for one in charter.principles}
    assert charter.precedence[:2] == ("oversight", "safety-of-people")
    assert len(charter.hard_constraints) == 6


@pytest.mark.parametrize("name", ["harmlessness", "helpful-honest-harmless", "charter"])
def test_the_words_are_our_own(name: str, reference_data: Path) -> None:
    """No run of eight words of a shipped text stands in the published instructions or standard constitution."""
    published = {
        run
        for path in (reference_data / "cai-2022/prompts").glob("*.json")
        for run in runs(path.read_text(encoding="utf-8").replace("\\n", " "))
    }
    assert len(published) > 1000
    for principle in load_constitution(name).principles:
        assert not {run for text in texts(principle) for run in runs(text)} & published


def texts(principle: Principle) -> list[str]:
    found = (principle.critique_request, principle.revision_request, principle.comparison_question)
    return [text for text in found if text]


def runs(text: str) -> list[tuple[str, ...]]:
    words = text.lower().split()
    return [tuple(words[start : start + 8]) for start in range(len(words) - 7)]
