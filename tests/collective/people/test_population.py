"""Population files: what they mean, and every fault with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from collective.people.samples import GOOD, loaded
from solon.collective.people.population import load_population
from solon.errors import InputError


def faults_of(folder: Path, text: str) -> list[tuple[int | None, str]]:
    with pytest.raises(InputError) as caught:
        loaded(folder, text)
    return [(fault.where.line if fault.where else None, fault.what) for fault in caught.value.faults]


def test_shares_are_merged_and_sum_to_one(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    assert found.attributes["age"].shares == pytest.approx({"18-34": 0.28, "35-54": 0.34, "55-74": 0.38})
    assert [margin.name for margin in found.margins] == ["age", "region", "age × region"]
    joint = found.margins[2].shares
    assert joint["55-74 | north"] == pytest.approx(0.16) and len(joint) == 6
    assert [round(sum(margin.shares.values()), 12) for margin in found.margins] == [1, 1, 1]


def test_minimum_sizes_are_the_attributes_own_or_the_populations(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    assert [margin.minimum for margin in found.margins] == [8, 5, 5]
    assert found.participants == 200 and found.suppress_below == 10


def test_rounded_percentages_are_scaled_to_the_whole(tmp_path: Path) -> None:
    found = loaded(tmp_path, "[attributes.a]\nshares = { x = 33, y = 33, z = 33 }\n")
    assert found.attributes["a"].shares == pytest.approx({"x": 1 / 3, "y": 1 / 3, "z": 1 / 3})


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("[attributes.a\n", 1, "not TOML"),
        ("title = 3\n[attributes.a]\nshares = { x = 1, y = 1 }\n", 1, "`title` must be text, not a number"),
        ("[attributes.a]\nshares = { x = 30, y = 60 }\n", 2, "a: the shares sum to 90"),
        (
            "[attributes.a]\nshares = { x = 0, y = 100 }\n",
            2,
            "a: `shares.x` must be a finite number greater than 0, not 0",
        ),
        ("[attributes.a]\nshares = { x = nan, y = 100 }\n", 2, "a: `shares.x` must be a finite number"),
        ('[attributes.a]\nshares = { x = "50", y = 50 }\n', 2, "a: `shares.x` must be a number, not text"),
        ("[attributes.a]\nshares = { x = true, y = 50 }\n", 2, "a: `shares.x` must be a number, not true or false"),
        (
            "[attributes.a]\nshares = { x = 1 }\n",
            2,
            "a: `shares` cannot be used: dictionary should have at least 2 items",
        ),
        ("[attributes.a]\nordered = true\n", 1, "a: `shares` is missing"),
        ("# a\n[attributes.a]\nshare = { x = 1, y = 1 }\n", 3, "a: unknown key `share`"),
        ("[atributes.a]\nshares = { x = 50, y = 50 }\n", 1, "unknown key `atributes`"),
        ("attributes = 4\n", 1, "`attributes` must be a table, not a number"),
        (
            "minimum = -1\n[attributes.a]\nshares = { x = 50, y = 50 }\n",
            1,
            "`minimum` cannot be used: input should be greater than or equal to 0",
        ),
        (
            "suppress_below = 0\n[attributes.a]\nshares = { x = 50, y = 50 }\n",
            1,
            "`suppress_below` cannot be used: input should be greater than or equal to 1",
        ),
        ("[attributes.participant]\nshares = { x = 50, y = 50 }\n", 1, "an attribute cannot be called 'participant'"),
        ('[attributes.a]\nshares = { x = 50, y = 50 }\nmerge = { x = "z" }\n', 3, "a.merge: 'z' is no category"),
        ('[attributes.a]\nshares = { x = 50, y = 50 }\nmerge = { x = "y" }\n', 3, "fewer than two categories"),
        ('[attributes.a]\nshares = { x = 50, y = 50 }\nunknown = ["x"]\n', 3, "a.unknown: 'x' has a share"),
        ('[attributes.a.shares]\n"x | y" = 50\nz = 50\n', 2, "a: a category cannot be 'x | y'"),
        ("attributes.a.shares = { x = 10, y = 10 }\n", 1, "a: the shares sum to 20"),
    ],
)
def test_a_fault_has_its_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    found = faults_of(tmp_path, text)
    assert any(at == line and what in said for at, said in found), found


def test_a_key_that_is_nearly_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown key `atributes` \(did you mean `attributes`\?\)"):
        loaded(tmp_path, "[atributes.a]\nshares = { x = 50, y = 50 }\n")
    with pytest.raises(InputError, match="a: unknown key `name`"):
        loaded(tmp_path, '[attributes.a]\nname = "b"\nshares = { x = 50, y = 50 }\n')


def test_an_empty_file_has_no_attributes(tmp_path: Path) -> None:
    assert faults_of(tmp_path, "") == [(1, "no attributes")]


def test_all_faults_are_reported_together_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = GOOD.replace("source =", "sauce =").replace('"75+" = 11', '"75+" = 1').replace("accepted", "excepted")
    text = text.replace("south = 0.6", "south = 0.7")
    found = faults_of(tmp_path, text)
    assert [line for line, _ in found] == sorted(line or 0 for line, _ in found)
    assert {line for line, _ in found} >= {2, 11, 18, 32, 35}
    assert len(found) >= 6


@pytest.mark.parametrize(
    ("change", "line", "what"),
    [
        (('"75+ | north" = 5', '"75+ | west" = 5'), 29, "'75+ | west' is no combination"),
        (('"75+ | north" = 5', '"75+ | north" = 50'), 22, "the shares sum to 145"),
        (('"75+ | north" = 5\n"75+ | south" = 6', '"75+ | south" = 11'), 20, "region 'north' sums to 0.350"),
        (('attributes = ["age", "region"]', 'attributes = ["age", "town"]'), 20, "no sound attribute 'town'"),
        (('attributes = ["age", "region"]', 'attributes = ["age", "age"]'), 20, "an attribute is named twice"),
    ],
)
def test_joint_quotas_fit_their_attributes(tmp_path: Path, change: tuple[str, str], line: int, what: str) -> None:
    found = faults_of(tmp_path, GOOD.replace(*change))
    assert any(at == line and what in said for at, said in found), found


def test_the_second_joint_quota_is_named_by_its_own_line(tmp_path: Path) -> None:
    second = '[[joint]]\nattributes = ["region", "age"]\nshares = { "north | 18-34" = 100 }\n'
    line = GOOD.count("\n") + 1
    assert faults_of(tmp_path, GOOD + second) == [(line, "joint: these attributes have a joint quota above")]


def test_a_missing_file_and_one_in_another_encoding(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_population(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes('title = "Zürich"'.encode("latin-1"))
    with pytest.raises(InputError, match=r"latin\.toml:1: not UTF-8"):
        load_population(tmp_path / "latin.toml")


def test_the_documented_population_file_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/formats/collect.md").read_text(encoding="utf-8")
    example = page.split("The population file:\n\n```toml\n")[1].split("```")[0]
    found = loaded(tmp_path, example)
    assert [margin.name for margin in found.margins] == ["age", "region", "age × region"]
    assert found.participants == 500 and len(found.screening) == 1
