"""Which statements count, how merged ones are counted, and which ideas are chosen."""

from __future__ import annotations

import numpy as np
import pytest

from solon.collective.conversation import Conversation, Participant, Statement
from solon.collective.opinion.consensus import consensus_of
from solon.collective.opinion.results import Groups
from solon.collective.principles.merges import Citation, Merge, MergeFile, Rewording, ideas_of
from solon.collective.principles.selection import (
    Rule,
    Selection,
    ThresholdCount,
    admissible,
    choose,
    counts,
    curve,
    lowest_of,
    minimum_votes_for,
    rejected_as_well,
    rule_in_words,
)
from talks import conversation_of, talk


def groups_of(*sizes: int) -> Groups:
    """People from 0 on, one group after the other."""
    return Groups(
        participant_ids=np.arange(sum(sizes)),
        labels_G=np.repeat(np.arange(len(sizes)), sizes),
        names=tuple(str(at) for at in range(len(sizes))),
        silhouettes={},
        method="given",
    )


def voted(*agrees: tuple[int, int], of: int = 10) -> Conversation:
    """A statement for each pair: how many of the `of` people of the first and of the second group agree, from 1 on."""
    rows = [[1 if person < first else -1 for first, _ in agrees] for person in range(of)]
    rows += [[1 if person < second else -1 for _, second in agrees] for person in range(of)]
    return talk(rows, statements=range(1, len(agrees) + 1))


def chosen(conversation: Conversation, rule: Rule) -> Selection:
    groups = groups_of(len(conversation.participants) // 2, len(conversation.participants) // 2)
    return choose(consensus_of(conversation, groups, smoothing=rule.smoothing, minimum=rule.minimum_votes), rule)


def test_the_threshold_is_on_the_geometric_mean() -> None:
    """0.9 and 0.8 give a product of 0.72 and a geometric mean of 0.849."""
    public = voted((9, 8), (9, 9), (10, 10))
    rule = Rule(smoothing=False)
    found = chosen(public, rule)
    assert found.positions == (2, 1)
    assert chosen(public, rule).value_I.tolist() == pytest.approx([0.72**0.5, 0.9, 1.0])
    assert found.reasons[0].code == "low-consensus"
    assert found.reasons[0].detail == "consensus 0.849 is below 0.85 (group 0 0.90, group 1 0.80)"
    product = chosen(public, Rule(measure="product", threshold=0.72, smoothing=False))
    assert product.positions == (2, 1, 0)


def test_one_group_alone_cannot_carry_a_statement() -> None:
    assert chosen(voted((10, 0), (8, 8)), Rule(threshold=0.6)).positions == (1,)


def test_the_highest_by_number_ties_to_the_lower_id() -> None:
    found = chosen(voted((5, 5), (9, 9), (9, 9), (2, 2)), Rule(ideas=2, majority=False))
    assert found.positions == (1, 2)
    assert {at: reason.code for at, reason in found.reasons.items()} == {0: "beyond-number", 3: "beyond-number"}
    assert found.reasons[0].detail == "consensus 0.500 ranks 3; 2 were asked for"
    assert chosen(voted((6, 6), (9, 9)), Rule(ideas=2, threshold=0.8)).positions == (1,)
    assert chosen(voted((6, 6), (9, 9)), Rule(ideas=7)).positions == (1, 0)


def test_a_mean_alone_does_not_let_one_group_outvote_another() -> None:
    """Groups that agree by 10 and 5 of 10 have a geometric mean of 0.707; half is no majority."""
    public = voted((10, 5), (7, 7))
    rule = Rule(threshold=0.6, smoothing=False)
    found = chosen(public, rule)
    assert found.positions == (1,)
    assert found.reasons[0].code == "low-consensus"
    assert found.reasons[0].detail == "no majority in group 1 (group 0 1.00, group 1 0.50)"
    assert chosen(public, rule.model_copy(update={"majority": False})).positions == (0, 1)


def test_what_every_group_rejects_is_chosen_where_the_rule_says_so() -> None:
    """Disagreement by 9 and 10 of 10, smoothed: (10/12 * 11/12) ** 0.5 is 0.874."""
    public = voted((1, 0), (9, 9), (0, 9))
    assert chosen(public, Rule(threshold=0.8)).positions == (1,)
    rule = Rule(threshold=0.8, rejected=True)
    found = chosen(public, rule)
    assert found.positions == (0, 1)
    assert found.rejected_I.tolist() == [True, False, True], "the last by more, but by no majority of every group"
    assert found.value_I[0] == pytest.approx((10 / 12 * 11 / 12) ** 0.5)
    assert "what is rejected as clearly as well" in rule_in_words(rule)
    assert rejected_as_well(chosen(public, Rule(threshold=0.8))) == (
        "All groups reject 1 idea as clearly, such as statement 1; --rejected makes principles of what is rejected."
    )
    low = chosen(voted((6, 6), (2, 7), (0, 9)), Rule(threshold=0.3, majority=False))
    assert rejected_as_well(low) == "", "more disagree than agree with the last two, but by no majority of both groups"
    assert rejected_as_well(found) == "" == rejected_as_well(chosen(public, Rule(ideas=3)))


def test_how_many_there_would_be_at_other_thresholds() -> None:
    """Agreements of 1, 0.9, 0.8, 0.7 by both groups; 0.2 has no majority anywhere."""
    found = chosen(voted((10, 10), (7, 7), (9, 9), (2, 2), (8, 8)), Rule(smoothing=False))
    assert [(one.threshold, one.ideas) for one in curve(found)] == list(
        zip(
            (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5),
            (1, 2, 2, 3, 3, 4, 4, 4, 4, 4),
            strict=True,
        )
    )
    assert [(one.ideas, round(one.threshold, 6)) for one in lowest_of(found)] == [(4, 0.7)]
    many = chosen(voted(*[(10, 10)] * 10, (9, 9)), Rule(smoothing=False))
    assert [(one.ideas, round(one.threshold, 6)) for one in lowest_of(many)] == [(10, 1.0), (11, 0.9)]
    nobody = chosen(voted((2, 2)), Rule())
    assert lowest_of(nobody) == () and curve(nobody)[-1] == ThresholdCount(threshold=0.5, ideas=0)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_a_threshold_asks_as_much_of_many_groups_as_of_few(k: int) -> None:
    """The same public, cut into more groups that vote alike, has the same geometric mean."""
    public = talk([[1 if person % 20 < 17 else -1] for person in range(20 * k)])
    found = choose(consensus_of(public, groups_of(*[20] * k), smoothing=False), Rule(smoothing=False))
    assert found.value_I.tolist() == pytest.approx([0.85])


def test_weighted_alone_asks_for_a_majority() -> None:
    assert Rule(weighted=True).least == 0.5
    assert Rule(weighted=True, ideas=3).least is None
    assert Rule().least == 0.85


def test_few_votes_in_one_group_are_named() -> None:
    public = voted((10, 10), (10, 10))
    public.seen_PS[12:, 1] = False
    public.votes_PS[12:, 1] = 0
    found = chosen(public, Rule(minimum_votes=3))
    assert found.positions == (0,)
    assert found.reasons[1].detail == "too few votes: 2 in group 1; the least is 3"
    assert 1 in chosen(public, Rule(minimum_votes=0, threshold=0.0)).positions


@pytest.mark.parametrize("smoothing", [True, False])
def test_a_group_without_any_vote_never_passes(smoothing: bool) -> None:
    public = voted((10, 10))
    public.seen_PS[10:] = False
    found = chosen(public, Rule(minimum_votes=0, threshold=0.0, smoothing=smoothing))
    assert found.positions == () and found.reasons[0].code == "few-votes"


@pytest.mark.parametrize(("sizes", "least"), [((658, 436), 10), ((99, 8), 4), ((20, 19), 10), ((9, 5), 3), ((4, 1), 1)])
def test_small_groups_are_asked_for_half_of_their_votes(sizes: tuple[int, ...], least: int) -> None:
    assert minimum_votes_for(groups_of(*sizes)) == least


def test_a_rule_in_words() -> None:
    assert rule_in_words(Rule()) == (
        "consensus of at least 0.85 (geometric mean over groups of (agrees + 1) / (votes + 2)), "
        "at least 10 votes and a majority in every group"
    )
    rule = Rule(measure="product", smoothing=False, ideas=75, weighted=True, minimum_votes=0, majority=False)
    assert rule_in_words(rule) == (
        "the 75 ideas with the highest consensus (product over groups of agrees / votes), "
        "at least 1 vote in every group, drawn in proportion to consensus"
    )


def test_moderation_decides_what_counts() -> None:
    public = talk([[1, 1, 1, 1]], moderated={0: 1, 1: -1, 2: 0, 3: 1}, meta=[3])
    kept, reasons, note = admissible(public, include_unmoderated=False)
    assert kept.statement_ids.tolist() == [0] and note == ""
    assert {at: reason.code for at, reason in reasons.items()} == {1: "rejected", 2: "unmoderated", 3: "meta"}
    assert counts([*reasons.values(), reasons[1]]) == "2 rejected, 1 meta, 1 unmoderated"
    assert admissible(public, include_unmoderated=True)[0].statement_ids.tolist() == [0, 2]


def test_where_nothing_was_ever_moderated_everything_counts() -> None:
    public = talk([[1, 1]], moderated={0: 0, 1: 0})
    kept, reasons, note = admissible(public, include_unmoderated=False)
    assert len(kept.statements) == 2 and not reasons and "ever moderated" in note


def merges(*wordings: Rewording, wording: str = "AI should be kind", decision: str = "yes") -> MergeFile:
    cited = tuple(Citation(id=at, text="AI should be kind" if at == 2 else "x") for at in (2, 1, 3))
    merge = Merge.model_validate({"id": "m", "decision": decision, "wording": wording, "statements": cited})
    return MergeFile(format="solon-merges-1", merge=(merge,), wording=wordings)


def test_a_merged_idea_has_one_vote_of_each_person() -> None:
    """+1, +1, -1 count as agree; +1, -1 as pass; unseen ones not at all."""
    public = talk(
        [[1, 1, -1, 1], [1, -1, None, -1], [None, None, None, 1], [None, -1, None, None]], statements=range(1, 5)
    )
    found = ideas_of(public, merges())
    assert [(one.id, one.statement_ids, one.merge) for one in found.ideas] == [(2, (1, 2, 3), "m"), (4, (4,), None)]
    assert found.conversation.votes_PS[:, 0].tolist() == [1, 0, 0, -1]
    assert found.conversation.seen_PS[:, 0].tolist() == [True, True, False, True]
    assert found.conversation.votes_PS[:, 1].tolist() == [1, -1, 1, 0]


@pytest.mark.parametrize("decision", ["no", ""])
def test_what_nobody_accepted_is_not_merged(decision: str) -> None:
    assert len(ideas_of(talk([[1, 1, 1]], statements=range(1, 4)), merges(decision=decision)).ideas) == 3


def test_persons_words_are_marked_and_statements_left_out() -> None:
    public = talk([[1] * 5], statements=range(1, 6))
    more = (
        Rewording(statement=4, decision="yes", wording="AI should be calm", text="Statement 4"),
        Rewording(statement=5, decision="no", text="Statement 5", note="off topic"),
    )
    found = ideas_of(public, merges(*more, wording="AI should be kinder"))
    assert [(one.id, one.text, one.by_person) for one in found.ideas] == [
        (2, "AI should be kinder", True),
        (4, "AI should be calm", True),
    ]
    assert {at: (why.code, why.detail) for at, why in found.left_out.items()} == {
        5: ("left-out-by-person", "off topic")
    }
    assert not ideas_of(public, merges()).ideas[0].by_person, "the first statement's own words"


def test_a_merge_holds_for_what_is_left_of_it() -> None:
    public = conversation_of([Statement(id=3, text="x")], [Participant(id=1)], [(1, 3, 1)])
    (idea,) = ideas_of(public, merges()).ideas
    assert (idea.id, idea.statement_ids) == (3, (3,))
