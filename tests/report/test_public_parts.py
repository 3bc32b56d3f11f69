"""Parts of the public report, worked by hand: what is withheld, words, bars, the map."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from report.public_page import read_page, section
from report.riverside import riverside
from solon.collective.opinion.analysis import analyse
from solon.collective.opinion.given_groups import exported_beside
from solon.collective.opinion.grouping import find_groups
from solon.collective.opinion.results import Analysis, Groups
from solon.collective.people.population import SUPPRESS_BELOW
from solon.collective.principles.selection import ThresholdCount
from solon.report.public.bars import vote_bar
from solon.report.public.inputs import PublicInput
from solon.report.public.language import ENGLISH, letter
from solon.report.public.map import BASELINE, KEY, NAME, _Frame, _names, opinion_map
from solon.report.public.page import render_public_report
from solon.report.public.places import Extent, Outline, extent_of, outline, regions
from solon.report.public.sureness import number_of_groups
from solon.report.public.tally import Tally, statement_votes
from solon.report.public.thresholds import threshold_part
from voters import stability_of


def test_shares_never_claim_all_or_none() -> None:
    assert [ENGLISH.whole(share) for share in (0, 0.004, 0.5, 0.994, 0.996, 1)] == [
        "0%",
        "under 1%",
        "50%",
        "99%",
        "over 99%",
        "100%",
    ]


def test_words() -> None:
    say = ENGLISH
    assert (say.people(1), say.people(1002)) == ("1 person", "1,002 people")
    assert (say.listed([]), say.listed(["A"]), say.listed(["A", "B", "C"])) == ("", "A", "A, B and C")
    assert say.listed(["A", "B"], choice=True) == "A or B"
    assert (letter(0), letter(25), letter(26)) == ("A", "Z", "A2")
    assert say.between(0.876, 0.953) == "88 to 95"
    assert (say.number(-0.001, 2), say.number(1234.5, 1)) == ("0.00", "1,234.5")
    assert say.day(1_703_894_400_000) == "30 December 2023"


def test_a_bar_is_as_long_as_its_votes() -> None:
    drawn = str(vote_bar(Tally(agrees=80, passes=10, disagrees=10)))
    assert 'class="agree" x="0" y="1" width="80.0%"' in drawn
    assert 'class="disagree" x="90.0%" y="1" width="10.0%"' in drawn
    whisker = re.search(r'class="whisker" x1="([\d.]+)%" x2="([\d.]+)%"', drawn)
    assert whisker and (float(whisker[1]), float(whisker[2])) == pytest.approx((71.1, 86.7), abs=0.1)  # Wilson


def test_quarters_where_ninths_hold_too_few() -> None:
    draws = np.random.default_rng(0)
    few, many_ = draws.normal(size=(60, 2)), draws.normal(size=(3000, 2))
    for points, parts in ((few, 2), (many_, 3)):
        labels = np.arange(len(points)) % 2
        found, told = regions(points, labels, 2, extent_of(points))
        assert found == parts and len(told) == parts * parts
        shown = [one.everyone for one in told if one.everyone is not None]
        assert sum(shown) <= 1 + 1e-9 and all(share * len(points) >= SUPPRESS_BELOW - 1e-9 for share in shown)


def test_an_outline_holds_two_thirds_of_its_group() -> None:
    points = np.random.default_rng(1).normal(size=(600, 2)) @ np.array([[3.0, 1.0], [0.0, 0.5]])
    found = outline(points)
    assert found is not None
    turn = np.radians(found.degrees)
    along = (points - found.centre_2) @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    inside = ((along / found.radii_2) ** 2).sum(axis=1) <= 1
    assert inside.mean() == pytest.approx(2 / 3, abs=0.01)


def test_nobody_stands_alone_in_a_group_on_the_map() -> None:
    """A mark names a group only where at least `SUPPRESS_BELOW` people are in and around its cell."""
    analysis = analyse(riverside().conversation)
    drawn = opinion_map(analysis, statement_votes(analysis))
    assert drawn is not None and drawn.people == len(analysis.groups.participant_ids)
    sizes = re.findall(r"<title>([^<]*people[^<]*)</title>", str(drawn.svg))[1:]
    assert sizes and all(re.match(r"(1–4|5–9|10–19|20\+) people", one) for one in sizes)
    assert re.search(r"NaN|nan|inf", str(drawn.svg)) is None
    height = float(re.findall(r'viewBox="0 0 640 (\d+)"', str(drawn.svg))[0]) - KEY
    marks = re.findall(
        r'class="dot [^"]*" href="#m\d" transform="translate\((\S+) (\S+)\) scale\((\S+)\)', str(drawn.svg)
    )
    for x, y, size in (map(float, one) for one in marks):
        assert size <= x <= 640 - size and size <= y <= height - size, "the edge cuts no mark"


def test_names_of_groups_cover_no_mark_where_there_is_room() -> None:
    """Of the same two groups, the middle above each outline is taken: the name stands beside it, or below."""
    draws = np.random.default_rng(3)
    near = [Outline(centre_2=np.array([x, 0.0]), radii_2=np.array([0.4, 0.2]), degrees=0.0) for x in (-0.5, 0.5)]
    frame = _Frame(extent=Extent(low_2=np.full(2, -1.0), high_2=np.full(2, 1.0)), scale=280.0, height=560.0)
    above = [np.array(frame.at(one.centre_2 + np.array([0, 0.26]))) + draws.normal(0, 3, size=(5, 2)) for one in near]
    marks = np.concatenate(above)
    found = re.findall(r'x="(\S+)" y="(\S+)"', "".join(_names(frame, near, marks, np.zeros(2), ENGLISH)))
    names = np.array(found, dtype=float) - (0, BASELINE)
    assert len(names) == 2 and not (np.abs(names[:, None] - marks) < NAME).all(axis=2).any()
    assert np.abs(names[0] - names[1]).max() >= NAME[1], "nor does one name cover the other"


def test_too_few_people_have_no_map() -> None:
    talk = riverside().conversation
    few = talk.select(participants=np.arange(len(talk.participants)) < 2 * SUPPRESS_BELOW - 1)
    analysis = analyse(few)
    assert opinion_map(analysis, statement_votes(analysis)) is None


def test_how_many_called_a_statement_important() -> None:
    """Nothing where few did, or nobody was asked."""
    talk = riverside().conversation

    def analysed(*marks: int) -> Analysis:
        counts = dict(zip(talk.statement_ids.tolist(), marks, strict=False))
        marked = [one.model_copy(update={"importance_votes": counts.get(one.id)}) for one in talk.statements]
        return analyse(replace(talk, statements=tuple(marked)))

    few = statement_votes(analysed(SUPPRESS_BELOW, SUPPRESS_BELOW - 1))
    assert [one.important for one in few][:3] == [SUPPRESS_BELOW, None, None]
    page = read_page(render_public_report(PublicInput(analysis=analysed(*[21] * len(talk.statements)))))
    assert "21 people called it important." in section(page, "agree").text
    without = read_page(render_public_report(PublicInput(analysis=analyse(talk))))
    assert "called it important" not in without.text


@pytest.mark.parametrize(("most", "axis"), [(1, [0, 1]), (7, [0, 2, 4, 6, 8]), (277, [0, 50, 100, 150, 200, 250, 300])])
def test_the_curve_of_thresholds_counts_whole_principles(most: int, axis: list[int]) -> None:
    part = threshold_part(
        [ThresholdCount(threshold=0.9, ideas=0), ThresholdCount(threshold=0.5, ideas=most)], 0.9, ENGLISH
    )
    assert part.rows == (("50%", str(most)), ("90%", "0"))
    assert part.intro.endswith("Here at least 90% was asked for.")
    told = re.findall(r'text-anchor="end">([^<]+)</text>', str(part.chart.svg))
    assert [float(one) for one in told] == axis
    assert "was asked for" not in threshold_part([ThresholdCount(threshold=0.5, ideas=1)], None, ENGLISH).intro


def test_the_method_says_what_settled_the_number_of_groups() -> None:
    """Most tries, whoever asked for it, or the table: no silhouette is said to have decided what it did not."""
    made = riverside().conversation

    def said(groups: Groups) -> str:
        page = read_page(render_public_report(PublicInput(analysis=analyse(made, groups=groups))))
        return section(page, "method").all("ol")[0].text

    found, asked = find_groups(made), find_groups(made, k=3)
    assert "this report has the number that most of these tries took" in said(found)
    assert "How many groups there are was set beforehand." in said(asked) and "silhouette" not in said(asked)
    assert "set beforehand" in said(find_groups(made, k=2, method="ccai"))
    given = said(replace(asked, method="given"))
    assert "they were given in a table" in given and "How many" not in given and "tries" not in given


def test_how_many_tries_chose_this_number_of_groups() -> None:
    """12 of 16 chose 2, and the report shows 4."""
    report = stability_of(riverside().conversation, analyse(riverside().conversation).groups, repeats=1)
    report = report.model_copy(update={"k": 4, "chosen": {2: 12, 3: 3, 4: 1}})
    assert number_of_groups(report, ENGLISH) == (
        "Of 16 tries that were free to choose the number of groups, 1 chose 4, the number in this report. All choices: "
        "2 groups (12), 3 groups (3) and 4 groups (1)."
    )
    assert number_of_groups(report.model_copy(update={"chosen": {}}), ENGLISH) == ""


def test_the_grouping_of_the_export_is_named_beside_the_one_shown() -> None:
    made = riverside().conversation
    groups = analyse(made).groups
    label = dict(zip(groups.participant_ids.tolist(), groups.labels_G.tolist(), strict=True))
    moved = groups.participant_ids.tolist()[:12]
    people = tuple(
        one.model_copy(update={"exported_group": "xy"[label[one.id] ^ (one.id in moved)]}) if one.id in label else one
        for one in made.participants
    )
    exported = replace(made, participants=people)
    found = exported_beside(exported, groups)
    assert found and (found.k, found.people, found.kept_share) == (2, 121, pytest.approx(109 / 121))
    page = read_page(render_public_report(PublicInput(analysis=analyse(made), exported=found)))
    said = "The export names 2 groups of its own; of the 121 people in both, 90% are together in both."
    assert said in section(page, "divides").text
    assert exported_beside(made, groups) is None
