"""How far to trust groups: what the report says of firm groups, of noise, and of conversations too small to regroup."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from solon.collective.conversation import Conversation
from solon.collective.opinion import stability, trials
from solon.collective.opinion.counts import IN_NO_GROUP
from solon.collective.opinion.grouping import PLACES, find_groups
from solon.collective.opinion.likeness import compare, paired
from solon.collective.opinion.polis.clusters import leading
from solon.collective.opinion.results import Groups
from solon.collective.opinion.stability import StabilityReport, ship_stability
from solon.collective.opinion.trials import Placement, StabilityCheck, make_trials, renumbered
from solon.errors import InputError
from talks import random_rows, talk
from voters import public, stability_of


def of_kind(report: StabilityReport, kind: str) -> list[StabilityCheck]:
    return [one for one in report.checks if one.kind == kind]


@pytest.fixture(scope="module")
def firm() -> tuple[Conversation, Groups, StabilityReport]:
    talk, _ = public((50, 30), statements=20, seed=1)
    groups = find_groups(talk, k=2)
    return talk, groups, stability_of(talk, groups, repeats=3)


def test_every_way_of_grouping_again_is_tried(firm: tuple[Conversation, Groups, StabilityReport]) -> None:
    report = firm[2]
    assert [one.setting for one in of_kind(report, "seed")] == ["1", "2", "3"]
    assert [(one.setting, one.k) for one in of_kind(report, "k")] == [("3", 3), ("4", 4), ("5", 5)]
    assert [one.setting for one in of_kind(report, "imputation")] == ["pass"]
    assert [one.setting for one in of_kind(report, "bootstrap")] == ["1", "2", "3"]
    assert len(of_kind(report, "chance")) == 3 and len(report.checks) == 13 and report.not_formed == 0


def test_clear_camps_are_firm_and_lots_are_not(firm: tuple[Conversation, Groups, StabilityReport]) -> None:
    report = firm[2]
    assert report.verdict == "firm" and report.k == 2
    assert min(one.likeness for one in of_kind(report, "bootstrap")) > 0.8
    assert all(abs(one.likeness) < 0.2 for one in of_kind(report, "chance"))
    assert all(one.change_max is None for one in of_kind(report, "k")), "groups cannot be paired"
    drawn = [one.people for one in of_kind(report, "bootstrap")]
    assert all(0.5 * 80 < people < 0.75 * 80 for people in drawn), "of people drawn several times, each counts once"
    assert any("left out by lot" in sentence for sentence in report.sentences)


def test_two_people_are_no_firm_groups_and_every_try_is_counted() -> None:
    """Once "firm", and "12 of 16 tries" beside "12 of 12": tries that could not be compared were not counted."""
    conversation = talk([[1, -1, 1], [-1, 1, -1]])
    groups = find_groups(conversation)
    report = stability_of(conversation, groups)
    assert groups.sizes == (1, 1) and sum(groups.tries.values()) == 16
    assert report.verdict == "unknown" and report.chosen == groups.tries and report.not_formed
    assert not any("free to choose" in sentence for sentence in report.sentences), "the line on their number says it"


def test_groups_that_lots_would_make_as_well_are_not_firm(
    firm: tuple[Conversation, Groups, StabilityReport],
) -> None:
    by_lot = [one.model_copy(update={"likeness": 0.9}) if one.kind == "chance" else one for one in firm[2].checks]
    assert stability.verdict_of(by_lot) == "unknown" and stability.verdict_of(firm[2].checks) == "firm"
    few = [one.model_copy(update={"people": stability.FEW - 1}) for one in firm[2].checks]
    assert stability.verdict_of(few) == "unknown"


def test_noise_is_loose() -> None:
    rng = np.random.default_rng(0)
    votes = [[int(vote) for vote in row] for row in rng.choice([-1, 1], size=(60, 25))]
    conversation = talk(votes)
    assert stability_of(conversation, find_groups(conversation, k=3), repeats=3).verdict == "loose"


def test_the_report_repeats_itself_and_follows_its_seed(firm: tuple[Conversation, Groups, StabilityReport]) -> None:
    talk, groups, report = firm
    assert stability_of(talk, groups, repeats=3) == report
    assert of_kind(stability_of(talk, groups, repeats=3, seed=9), "chance") != of_kind(report, "chance")


def test_the_ccai_method_is_tried_with_means_and_with_the_largest_seed() -> None:
    conversation = talk(random_rows(2, 40, 40, seen=0.9))
    groups = find_groups(conversation, method="ccai", seed=2**32 - 1)
    report = stability_of(conversation, groups, repeats=1, seed=2**32 - 1)
    assert report.method == "ccai" and [one.setting for one in of_kind(report, "imputation")] == ["mean"]
    assert [one.setting for one in of_kind(report, "seed")] == [str(2**32)]


def test_too_many_people_are_sampled(
    firm: tuple[Conversation, Groups, StabilityReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "MAX_CELLS", 1000)
    monkeypatch.setattr(trials, "MIN_SAMPLE", 10)
    talk, groups, _ = firm
    report = stability_of(talk, groups)
    assert report.participants == 1000 // 20 and report.participants_total == 80
    assert report.repeats == trials.REPEATS // 2 and "50 of 80 people, drawn by lot" in report.sentences[0]


def test_one_group_is_said_to_be_one() -> None:
    conversation = talk([[1, 1], [1, 1], [1, None]])
    report = stability_of(conversation, find_groups(conversation), repeats=2)
    assert report.k == 1 and report.sentences[0].startswith("There is one group only")
    assert report.not_formed == 4, "two to five groups of people who all stand in the same place"


def test_groups_of_nobody_in_the_conversation_are_loose() -> None:
    conversation = talk(random_rows(0, 20, 9))
    groups = find_groups(conversation, k=2)
    strangers = replace(groups, participant_ids=groups.participant_ids + 1000)
    report = stability_of(conversation, strangers, repeats=1)
    assert report.verdict == "unknown" and report.checks == () and report.not_formed > 0


def test_shipped_as_a_file_or_removed(firm: tuple[Conversation, Groups, StabilityReport], tmp_path: Path) -> None:
    report = firm[2]
    path = tmp_path / "new/stability.json"
    ship_stability(path, report)
    assert StabilityReport.model_validate(json.loads(path.read_text(encoding="utf-8"))) == report
    ship_stability(path, None)
    assert not path.exists()


def test_likeness_on_paper() -> None:
    conversation = talk([[1], [1], [-1], [1], [0], [1]])
    ours, theirs = np.array([0, 0, 0, 1, 1, IN_NO_GROUP]), np.array([1, 1, 0, 0, 0, 1])
    found = compare(conversation, ours, theirs, smoothing=False)
    assert found.people == 5 and found.kept_share == pytest.approx(4 / 5)
    # Ours: 2 of 3 and 1 of 2 agree; theirs, paired: 2 of 2 and 1 of 3.
    assert found.change_max == pytest.approx(1 / 3) and found.change_mean == pytest.approx((1 / 3 + 1 / 6) / 2)
    assert compare(conversation, ours, np.array([0, 1, 2, 0, 1, 2])).change_max is None
    with pytest.raises(InputError, match="nobody is in a group both times"):
        compare(conversation, ours, np.full(6, IN_NO_GROUP))


def test_resampled_people_vote_like_those_they_are_drawn_from() -> None:
    conversation = talk([[1, None], [-1, 0], [None, 1]], people=[4, 6, 9])
    drawn = renumbered(conversation, np.array([0, 0, 2]))
    assert drawn.votes_PS.tolist() == [[1, 0], [1, 0], [0, 1]] and drawn.participant_ids.tolist() == [0, 1, 2]
    assert drawn.seen_PS.tolist() == [[True, False], [True, False], [False, True]]


def test_groups_that_another_imputation_breaks_are_not_called_firm(
    firm: tuple[Conversation, Groups, StabilityReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As measured of a real conversation: other people and other starts change little, passes for missing votes all."""
    conversation, groups, before = firm

    def place(talk: Conversation, impute: str | None) -> Placement:
        placed = polis(talk, None)
        dealt = replace(placed, rows_G=np.random.default_rng(0).permutation(placed.rows_G))
        return dealt if impute == "pass" else placed

    polis = PLACES["polis"]
    monkeypatch.setitem(PLACES, "polis", place)
    report = stability_of(conversation, groups, repeats=3)
    (filled,) = of_kind(report, "imputation")
    assert all(one.likeness > stability.FIRM for kind in ("seed", "bootstrap") for one in of_kind(report, kind))
    assert filled.likeness < stability.FAIR
    assert before.verdict == "firm" and report.verdict == "loose"


def test_most_tries_settle_the_number_of_groups() -> None:
    """Ten people, of whom some starts make two groups and others three: what most say is taken, and said."""
    conversation = talk(random_rows(3, 40, 12, seen=0.5))
    found = find_groups(conversation)
    tries = found.tries
    assert sum(tries.values()) == 2 * trials.REPEATS and len(tries) > 1
    assert tries[found.k] == max(tries.values())
    report = stability_of(conversation, found)
    assert report.chosen == tries, "the same tries as those of the report"
    assert find_groups(conversation, k=found.k).tries == {}


@pytest.mark.parametrize("seed", range(12))
def test_tries_that_cannot_change_the_number_are_not_made(seed: int) -> None:
    conversation = talk(random_rows(seed, 30, 12, seen=0.5))
    some, every = find_groups(conversation, counted=False), find_groups(conversation)
    assert some.labels_G.tolist() == every.labels_G.tolist() and some.silhouettes == every.silhouettes
    assert some.k == every.k and some.tries == {}


def test_counting_stops_when_the_rest_cannot_matter() -> None:
    asked = iter([2, 3, 2, 2, 5])
    assert leading(asked, of=5) == {2: 3, 3: 1} and [*asked] == [5]
    assert leading([2, 2, 3, 3], of=4) == {2: 2, 3: 2}, "a tie is open to the end"
    assert leading([], of=3) == {}


def test_tries_of_everybody_start_from_the_same_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found in one go is what each start by itself would find."""
    monkeypatch.setattr(trials, "REPEATS", 2)
    conversation = talk(random_rows(5, 60, 15, seen=0.6))
    tries = make_trials(conversation, PLACES["polis"], seed=4)
    placed = PLACES["polis"](conversation, None)
    for one, seed in zip(tries.seeds, (5, 6), strict=True):
        np.testing.assert_array_equal(one.start.grouped(3)[0], placed.start(seed).grouped(3)[0])


@pytest.mark.parametrize("shape", [(2, 3), (4, 2), (5, 5), (3, 9)])
def test_groups_are_paired_as_the_solver_pairs_them(shape: tuple[int, int]) -> None:
    from scipy.optimize import linear_sum_assignment

    shared = np.random.default_rng(1).integers(50, size=shape)
    rows, columns = paired(shared)
    assert shared[rows, columns].sum() == shared[linear_sum_assignment(-shared)].sum()
    assert rows.tolist() == sorted(rows) and len(set(columns)) == len(columns) == min(shape)
