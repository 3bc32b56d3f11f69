"""Attributes read from a file, and the sample against the population."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from collective.people.samples import a_population, a_sample, loaded
from solon.collective.people.sample import UNKNOWN, Gap, Sample, gaps, of_voters, published_gaps, read_attributes
from solon.errors import InputError
from talks import talk

HEAD = "participant,age,region,resident,shoe size\n"
ROWS = ["7,18-34,north,yes,40\n", "2,75+,south,yes,41\n", "9,prefer not to say, south ,yes,\n", "4,35-54,north,no,39\n"]
SEX = {"sex": {"women": 0.5, "men": 0.5}}


def read(folder: Path, text: str) -> Sample:
    path = folder / "attributes.csv"
    path.write_text(text, encoding="utf-8")
    return read_attributes(path, loaded(folder))


def by_name(found: Sequence[Gap]) -> dict[tuple[str, str], Gap]:
    return {(gap.attribute, gap.category): gap for gap in found}


def test_people_are_screened_merged_and_sorted_by_id(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + "".join(ROWS))
    assert found.participant_ids.tolist() == [2, 7, 9]
    assert found.categories == {"age": ("55-74", "18-34", UNKNOWN), "region": ("south", "north", "south")}
    assert found.screened_ids == {4} and found.screened_out == {"resident": 1}
    assert found.unread == ("shoe size",)


def test_an_empty_answer_to_a_screening_question_is_counted_apart(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + ROWS[0] + "3,18-34,north,,\n4,18-34,north,NO,\n")
    assert found.screened_out == {"resident": 2} and found.unanswered == {"resident": 1}


@pytest.mark.parametrize("turn", range(3))
def test_the_order_of_rows_and_columns_never_shows(tmp_path: Path, turn: int) -> None:
    straight = read(tmp_path, HEAD + "".join(ROWS))
    cells = [line.rstrip("\n").split(",") for line in [HEAD, *ROWS]]
    rows, columns = cells[1:], list(range(5))
    random.Random(turn).shuffle(rows)
    random.Random(turn).shuffle(columns)
    mixed = read(tmp_path, "".join(",".join(row[at] for at in columns) + "\n" for row in [cells[0], *rows]))
    assert mixed.screened_ids == straight.screened_ids
    assert mixed.categories == straight.categories
    assert mixed.participant_ids.tolist() == straight.participant_ids.tolist()


def test_every_fault_of_an_attributes_file_with_its_line(tmp_path: Path) -> None:
    rows = ["7,18-34,north,yes,\n", "x,18-34,north,yes,\n", "7,young,north,yes,\n", "8,young,=1+1,yes,\n"]
    with pytest.raises(InputError) as caught:
        read(tmp_path, HEAD + "".join(rows))
    said = [(fault.where.line if fault.where else None, fault.what) for fault in caught.value.faults]
    assert said == [
        (3, "participant is not a whole number: 'x'"),
        (4, "participant 7 is also on line 2"),
        (4, "age: 'young' is no category (2 rows)"),
        (5, "region: '=1+1' is no category (1 row)"),
    ]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column region and no column resident"):
        read(tmp_path, "participant,age\n1,18-34\n")


def test_a_cause_that_all_rows_share_is_said_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r":2: participant is not a whole number in all 30 rows: 'x' \(name"):
        read(tmp_path, HEAD + "".join("x,18-34,north,yes,\n" for _ in range(30)))


def test_the_sample_among_voters_keeps_those_of_whom_nothing_is_known(tmp_path: Path) -> None:
    voters = talk([[1], [1], [0], [None], [-1]], people=[2, 4, 7, 9, 30])
    found = of_voters(read(tmp_path, HEAD + "".join(ROWS)), voters)
    assert found.participant_ids.tolist() == [2, 7, 30]
    assert found.categories["age"] == ("55-74", "18-34", UNKNOWN)
    assert found.without_attributes == 1 and found.without_votes == 1


def test_gaps_by_hand() -> None:
    """60 women and 40 men against one half: 10 points and 10 people."""
    found = by_name(gaps(a_sample(a_population(SEX, minimum=50), (60, ("women",)), (40, ("men",)))))
    women, men = found["sex", "women"], found["sex", "men"]
    assert (women.people, women.share_of, women.sample_share) == (60, 100, 0.6)
    assert women.gap_points == 10 and women.gap_people == 10 and not women.below_minimum
    assert men.gap_people == -10 and men.minimum == 50 and men.below_minimum


def test_people_of_unknown_category_count_in_no_share() -> None:
    found = by_name(gaps(a_sample(a_population(SEX), (30, ("women",)), (10, ("men",)), (60, (UNKNOWN,)))))
    assert found["sex", "women"].sample_share == 0.75 and found["sex", UNKNOWN].people == 60


def test_nobody_at_all() -> None:
    found = published_gaps(a_sample(a_population(SEX)))
    assert [(gap.people, gap.sample_share) for gap in found] == [(0, None), (0, None)]


def test_one_participant_hides_everything() -> None:
    found = published_gaps(a_sample(a_population(SEX), (1, ("women",))))
    assert [gap.people for gap in found] == [None, None]


def test_joint_quotas_are_compared_too_with_combinations_nobody_should_be_in() -> None:
    joint = {("sex", "town"): {"women | yes": 0.5, "men | no": 0.5}}
    population = a_population({**SEX, "town": {"yes": 0.5, "no": 0.5}}, joint=joint)
    found = by_name(gaps(a_sample(population, (20, ("women", "yes")), (20, ("men", "yes")), (5, ("men", UNKNOWN)))))
    assert found["sex × town", "women | yes"].sample_share == 0.5
    assert found["sex × town", "men | yes"].population_share == 0
    assert found["sex × town", UNKNOWN].people == 5


AGES = {"age": {"young": 0.3, "middle": 0.4, "old": 0.3}}


def test_small_counts_and_what_gives_them_away_are_hidden() -> None:
    found = published_gaps(a_sample(a_population(AGES, minimum=20), (3, ("young",)), (40, ("middle",)), (57, ("old",))))
    hidden = [gap for gap in found if gap.people is None]
    assert [gap.category for gap in hidden] == ["young", "middle"]
    for gap in hidden:
        assert (gap.share_of, gap.sample_share, gap.gap_points, gap.gap_people, gap.below_minimum) == (None,) * 5


def test_no_share_gives_away_how_few_did_not_say() -> None:
    """Three people who did not say are hidden; a share of the 97 others would tell their number."""
    sample = a_sample(a_population(AGES), (3, (UNKNOWN,)), (27, ("young",)), (30, ("middle",)), (40, ("old",)))
    found = by_name(published_gaps(sample))
    assert found["age", UNKNOWN].people is None
    shown = [gap for gap in found.values() if gap.people is not None]
    assert shown and all(gap.share_of == 100 for gap in shown)
    assert all(gap.sample_share == (gap.people or 0) / 100 for gap in shown)
    exact = by_name(gaps(sample))
    assert exact["age", "old"].share_of == 97


@pytest.mark.parametrize("seed", range(6))
def test_published_numbers_of_linked_quotas_hide_every_small_count(seed: int) -> None:
    """Law: nothing small is printed, of attributes and joint quotas alike, and never just one count is hidden."""
    joint = {("sex", "age"): {f"{sex} | {age}": 1 / 6 for sex in SEX["sex"] for age in AGES["age"]}}
    population = a_population({**SEX, **AGES}, joint=joint)
    draws = np.random.default_rng(seed)
    rows = [
        (int(draws.choice([0, 2, 8, 15, 60])), (sex, age))
        for sex in [*SEX["sex"], UNKNOWN]
        for age in [*AGES["age"], UNKNOWN]
    ]
    sample = a_sample(population, *rows)
    found = published_gaps(sample)
    for margin in ("sex", "age", "sex × age"):
        own = [gap for gap in found if gap.attribute == margin]
        assert all(gap.people == 0 or (gap.people or 10) >= 10 for gap in own)
        missing = len(sample) - sum(gap.people or 0 for gap in own)
        hidden = [gap for gap in own if gap.people is None]
        assert not hidden or len(hidden) > 1 or missing >= 10
    assert found == published_gaps(reversed_rows(sample))


def reversed_rows(sample: Sample) -> Sample:
    """Other ids, the same people."""
    return Sample(
        population=sample.population,
        participant_ids=sample.participant_ids,
        categories={name: values[::-1] for name, values in sample.categories.items()},
    )
