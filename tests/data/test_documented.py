"""The examples of docs/formats/prompts.md are read as the page says."""

from __future__ import annotations

import math
import re
from pathlib import Path

from data.examples import read_helpful, read_prompts
from solon.config.prompts import COLUMNS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats" / "prompts.md"


def examples() -> list[str]:
    return re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_prompt_examples(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(examples()[0], encoding="utf-8")
    file = read_prompts(path, "harmful")
    assert [len(prompt.turns) for prompt in file.prompts] == [1, 3]
    assert file.dropped == {"duplicate": 6}, "the eight lines are two prompts, written in many ways"


def test_helpful_examples(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    path.write_text(examples()[1], encoding="utf-8")
    file = read_helpful(path)
    assert (len(file.prompts), len(file.comparisons), len(file.demonstrations)) == (1, 1, 1)
    assert file.dropped == {"duplicate": 6}, "the eight lines are one comparison and one answer"


def test_every_column_is_named(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in COLUMNS if f"`{name}`" not in page and f'"{name}"' not in page] == []


def test_the_worked_labels() -> None:
    for one, two, p in re.findall(r"scores of (\d) and (\d) give ([\d.]+)|", PAGE.read_text(encoding="utf-8")):
        if one:
            assert round(1 / (1 + math.exp(int(two) - int(one))), 3) == float(p)


def test_reasons_are_the_documented_ones(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    source = Path(__file__).resolve().parents[2] / "src" / "solon" / "data"
    reasons = {
        reason
        for path in source.glob("*.py")
        for reason in re.findall(r'(?:Unusable\(|dropped\[)"([^"]+)"', path.read_text(encoding="utf-8"))
    }
    assert len(reasons) >= 5
    for reason in reasons:
        assert f"`{reason}`" in page
