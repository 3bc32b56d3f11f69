"""Every rule finds whom it should and nobody else; every removal is logged; each rule's effect is measured."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from collective.cleaning.spoilt import (
    EXPECTED,
    FAST,
    FEW,
    ORIGINAL,
    REJECTED,
    REPEAT,
    SINCERE,
    SPAMMER,
    STRAIGHT,
    TWIN,
    in_another_order,
    log_of,
    spoilt,
)
from solon.collective.cleaning import removing
from solon.collective.cleaning.removing import Change, Opinions, clean, opinions, rules_with, sensitivity
from solon.collective.cleaning.rules import RULES, Evidence
from solon.collective.conversation import Conversation, Statement
from solon.collective.opinion.results import Groups
from solon.errors import InputError
from talks import random_rows, talk


@pytest.fixture(scope="module")
def whole() -> Conversation:
    return spoilt()


def found_by(conversation: Conversation, rule: str, **limits: float) -> list[int]:
    one = RULES[rule]
    return sorted(flag.id for flag in one.find(Evidence(conversation), **{**one.limits, **limits}))


@pytest.mark.parametrize("rule", list(EXPECTED))
def test_each_rule_finds_whom_it_should_and_nobody_else(whole: Conversation, rule: str) -> None:
    assert found_by(whole, rule) == EXPECTED[rule]


def test_every_rule_is_tried() -> None:
    assert list(EXPECTED) == list(RULES)


def test_every_removal_has_its_rule_and_reason_and_happens_once(whole: Conversation) -> None:
    found = clean(whole)
    assert found.not_applied == ()
    assert [(one.rule, one.id) for one in found.removals] == [
        (rule, one) for rule in EXPECTED for one in EXPECTED[rule]
    ]
    assert len({(one.rule, one.kind, one.id) for one in found.removals}) == len(found.removals)
    assert all(one.reason == RULES[one.rule].reason and one.detail for one in found.removals)
    for kind, before, after in (
        ("participant", whole.participant_ids, found.conversation.participant_ids),
        ("statement", whole.statement_ids, found.conversation.statement_ids),
    ):
        logged = {one.id for one in found.removals if one.kind == kind}
        assert set(before.tolist()) - set(after.tolist()) == logged, "what is gone is logged, and the other way round"
    assert found.conversation.participant_ids.tolist() == [*range(SINCERE), TWIN]


def test_whoever_falls_under_two_rules_is_logged_under_both_and_gone_once(whole: Conversation) -> None:
    assert whole.log is not None
    hasty = np.where(whole.log.participant == FEW, whole.log.statement * 500, whole.log.time)
    rules = rules_with({"speed.votes": 3}, only=["minimum-votes", "speed"])
    found = clean(replace(whole, log=replace(whole.log, time=hasty)), rules)
    assert [(one.rule, one.id) for one in found.removals] == [("minimum-votes", FEW), ("speed", FEW), ("speed", FAST)]
    assert len(found.conversation.participants) == len(whole.participants) - 2


def test_what_was_measured_and_its_limit(whole: Conversation) -> None:
    by_rule = {one.rule: one for one in clean(whole).removals}
    few, straight, fast = by_rule["minimum-votes"], by_rule["same-answer"], by_rule["speed"]
    assert (few.value, few.limit, few.detail) == (3, 7, "3 votes")
    assert straight.value == 1 and straight.limit == 0.95 and straight.detail.startswith("40 of 40 votes agree")
    assert (fast.value, fast.limit, fast.detail) == (0.5, 1.5, "0.5 s from vote to vote")
    assert by_rule["long-runs"].value < by_rule["long-runs"].limit == 0.001
    assert by_rule["long-runs"].detail == "20 times agree in a row, 20 of 40 in all"
    assert by_rule["identical-votes"].detail.startswith(f"the same 40 votes as participant {TWIN}")
    assert by_rule["spam-authors"].detail == f"{len(REJECTED)} of {len(REJECTED)} statements rejected"
    assert by_rule["repeated-statements"].detail == f"repeats statement {ORIGINAL}, which stays"
    assert by_rule["bursts"].detail == "one of 3 who began together, voting alike"


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_events_never_shows(whole: Conversation, seed: int) -> None:
    assert clean(in_another_order(whole, seed)).removals == clean(whole).removals


def test_the_order_of_rules_changes_only_the_order_of_the_log(whole: Conversation) -> None:
    straight, turned = clean(whole), clean(whole, [*RULES.values()][::-1])
    assert set(straight.removals) == set(turned.removals)
    assert np.array_equal(straight.conversation.votes_PS, turned.conversation.votes_PS)


def test_without_times_some_rules_say_that_they_could_not_look(whole: Conversation) -> None:
    found = clean(replace(whole, log=None))
    assert found.not_applied == ("long-runs", "speed", "bursts")
    assert {one.rule for one in found.removals}.isdisjoint(found.not_applied)


def test_a_limit_decides(whole: Conversation) -> None:
    assert FEW not in found_by(whole, "minimum-votes", votes=3)
    assert found_by(whole, "speed", seconds=0.5) == [] and found_by(whole, "speed", seconds=0.51) == [FAST]
    assert found_by(whole, "same-answer", chance=0) == []
    assert found_by(whole, "spam-authors", rejected=9) == []
    assert found_by(whole, "bursts", people=4) == [] and found_by(whole, "bursts", seconds=0.5) == []
    assert found_by(whole, "repeated-statements", edits=0) == []


def test_agreeing_with_what_everybody_agrees_with_is_no_fault() -> None:
    """40 people who all agree with nearly everything are like one another, not suspicious."""
    draws = np.random.default_rng(0)
    rows = np.where(draws.random((40, 20)) < 0.97, 1, -1)
    rows[0] = 1
    conversation = talk(rows.tolist())
    assert found_by(conversation, "same-answer") == [] and found_by(conversation, "identical-votes") == []


def test_people_with_fewer_statements_than_the_minimum_stay_if_they_voted_on_all() -> None:
    assert found_by(talk([[1, 1, -1], [1, None, 1]]), "minimum-votes") == [1]


def test_an_accepted_statement_stays_before_one_nobody_moderated() -> None:
    conversation = talk([[1, None], [1, None], [1, 1]], moderated={0: 0, 1: 1})
    sayings = tuple(one.model_copy(update={"text": "Plant more trees!"}) for one in conversation.statements)
    assert found_by(replace(conversation, statements=sayings), "repeated-statements") == [0]
    both = tuple(one.model_copy(update={"moderated": 1}) for one in sayings)
    assert found_by(replace(conversation, statements=both), "repeated-statements") == [1], "more votes stay"


def test_a_misspelling_repeats_and_an_opposite_does_not() -> None:
    texts = ["Make it legally binding", "make it legaly binding", "Tax them", "Tax thee", "More 5G", "More 4G"]
    conversation = replace(
        talk([[1] * 6]), statements=tuple(Statement(id=at, text=text, moderated=1) for at, text in enumerate(texts))
    )
    assert found_by(conversation, "repeated-statements") == [1]


def test_events_of_people_without_a_row_are_nobodys() -> None:
    conversation = talk([[1, 1]])
    events = [(99, 0, 1, 0), (99, 1, 1, 10)]
    conversation = replace(conversation, log=log_of(events))
    assert found_by(conversation, "speed", votes=2) == []


def test_cleaning_that_leaves_nobody_is_refused(whole: Conversation) -> None:
    with pytest.raises(InputError, match=r"cleaning would leave nobody .*minimum-votes removes most"):
        clean(whole, rules_with({"minimum-votes.votes": 41}))


def test_an_empty_conversation_is_refused() -> None:
    with pytest.raises(InputError, match="the conversation is empty"):
        clean(talk([]))


def test_one_participant() -> None:
    found = clean(talk([[1, -1, 0]]))
    assert found.conversation.participant_ids.tolist() == [0] and found.removals == ()


def test_nobody_voted() -> None:
    with pytest.raises(InputError, match="cleaning would leave nobody"):
        clean(talk([[None, None], [None, None]]))


@pytest.mark.parametrize(
    ("limits", "names", "said"),
    [
        ({}, {"without": ["haste"]}, "no rule 'haste'"),
        ({}, {"only": ["haste"]}, "no rule 'haste'"),
        ({"haste.seconds": 1.0}, {}, "no rule 'haste' in 'haste.seconds'"),
        ({"speed.minutes": 1.0}, {}, "speed has no limit 'minutes'"),
        ({"speed.seconds": -1.0}, {}, "speed.seconds must be 0 or more"),
        ({"speed.seconds": float("nan")}, {}, "speed.seconds must be 0 or more"),
    ],
)
def test_limits_and_rules_have_names(limits: dict[str, float], names: dict[str, list[str]], said: str) -> None:
    with pytest.raises(InputError, match=said.replace(".", r"\.")):
        rules_with(limits, **names)


def test_rules_can_be_chosen_and_left_out() -> None:
    assert [rule.name for rule in rules_with({}, only=["speed", "bursts"], without=["bursts"])] == ["speed"]
    assert rules_with({"speed.seconds": 3})[3].limits == {"votes": 10, "seconds": 3}
    assert RULES["speed"].limits["seconds"] == 1.5


def changes_of(conversation: Conversation) -> dict[str, Change]:
    """By variant."""
    found = sensitivity(conversation, list(RULES), clean(conversation).removals)
    return {one.variant: one for one in found}


def measured(conversation: Conversation) -> Opinions:
    """Everybody in one group; consensus is the share that agrees."""
    ids = conversation.participant_ids
    groups = Groups(
        participant_ids=ids, labels_G=np.zeros(len(ids), dtype=np.int64), names=("0",), silhouettes={}, method="polis"
    )
    seen_S = conversation.seen_PS.sum(axis=0)
    shares = np.divide((conversation.votes_PS == 1).sum(axis=0), seen_S, out=np.zeros(len(seen_S)), where=seen_S > 0)
    return groups, dict(zip(conversation.statement_ids.tolist(), shares.tolist(), strict=True))


def test_results_with_and_without_each_rule(whole: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removing, "opinions", measured)
    changes = changes_of(whole)
    rules = list(RULES)
    assert list(changes) == ["all", "none", *(f"without {one}" for one in rules), *(f"only {one}" for one in rules)]
    assert changes["all"].participants == SINCERE + 1 and changes["none"].participants == 40
    assert changes["all"].consensus_max == 0 and changes["all"].same_groups == 1
    assert changes["without same-answer"].participants == SINCERE + 2
    assert changes["only repeated-statements"].statements == len(whole.statements) - 1
    # The straight-liner back among 31 people moves a statement by (1 - share) / 32, most where fewest agree.
    kept = clean(whole).conversation
    shares = (kept.votes_PS == 1).sum(axis=0)[:40] / 31
    back = changes["without same-answer"]
    assert back.consensus_max == pytest.approx((1 - shares.min()) / 32)
    assert back.consensus_max_statement == int(np.argmin(shares))


def test_a_variant_that_cannot_be_measured_says_why(whole: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(conversation: Conversation) -> Opinions:
        if len(conversation.participants) == 40:
            raise InputError("too many")
        return measured(conversation)

    monkeypatch.setattr(removing, "opinions", refuses)
    changes = changes_of(whole)
    assert changes["none"].note == "too many" and changes["none"].groups is None
    assert changes["all"].note == ""


def test_opinions_are_groups_and_a_mean_comparable_across_numbers_of_groups() -> None:
    groups, consensus = opinions(talk(random_rows(5, 40, 12)))
    assert groups.k >= 2 and sorted(consensus) == list(range(12))
    assert all(0 < one < 1 for one in consensus.values())


def test_votes_and_events_of_the_removed_are_gone_too(whole: Conversation) -> None:
    kept = clean(whole).conversation
    assert kept.log is not None and STRAIGHT not in kept.log.participant and SPAMMER not in kept.log.participant
    assert REPEAT not in kept.statement_ids
    assert int(kept.seen_PS.sum()) == len(kept.log.vote)


@pytest.mark.parametrize("rule", list(RULES))
def test_the_documented_limits_are_those_of_the_rules(rule: str) -> None:
    page = (Path(__file__).parents[3] / "docs/formats/collect.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith(f"| `{rule}` |"))
    limits = {name: float(value) for name, value in re.findall(r"`(\w+)` ([\d.]+)", row.split(" | ")[-1])}
    assert limits == RULES[rule].limits
