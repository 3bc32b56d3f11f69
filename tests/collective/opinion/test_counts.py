from __future__ import annotations

import numpy as np
import pytest

from solon.collective.opinion.counts import IN_NO_GROUP, count_votes, counts_of, everybody, labels_of
from solon.collective.opinion.results import Groups
from talks import talk


def groups_of(people: list[int], labels: list[int]) -> Groups:
    names = tuple(str(label) for label in range(max(labels) + 1))
    members, given = np.array(people, dtype=np.int64), np.array(labels, dtype=np.int64)
    return Groups(participant_ids=members, labels_G=given, names=names, silhouettes={}, method="given")


def test_by_group_of_the_rest_and_of_everybody() -> None:
    conversation = talk([[1, -1], [0, None], [1, 1], [-1, 1]], people=[10, 20, 30, 40])
    found = counts_of(conversation, groups_of([10, 20, 40], [0, 0, 1]))
    assert found.agrees.tolist() == [[1, 0], [0, 1]]
    assert found.disagrees.tolist() == [[0, 1], [1, 0]]
    assert found.seen.tolist() == [[2, 1], [1, 1]]
    assert found.passes.tolist() == [[1, 0], [0, 0]]
    assert found.rest().seen.tolist() == [[1, 1], [2, 1]]
    assert found.total().agrees.tolist() == [[1, 1]]
    assert everybody(conversation).agrees.tolist() == [[2, 2]]


def test_groups_without_members_have_rows_of_zeros() -> None:
    conversation = talk([[1, -1]])
    found = count_votes(conversation.votes_PS, conversation.seen_PS, np.array([IN_NO_GROUP]), 2)
    assert found.seen.tolist() == found.agrees.tolist() == [[0, 0], [0, 0]]
    assert count_votes(conversation.votes_PS, conversation.seen_PS, np.array([IN_NO_GROUP])).seen.shape == (0, 2)


def test_labels_stand_with_their_people_and_strangers_are_passed_over() -> None:
    conversation = talk([[1], [1], [1]], people=[10, 20, 30])
    assert labels_of(conversation, groups_of([5, 20, 30, 99], [0, 1, 0, 1])).tolist() == [IN_NO_GROUP, 1, 0]


def test_votes_of_people_who_are_not_in_the_conversation_are_not_counted_as_none() -> None:
    with pytest.raises(AssertionError, match="people who are in the conversation"):
        counts_of(talk([[1]], people=[10]), groups_of([10, 11], [0, 0]))


@pytest.mark.parametrize("people", [0, 1, 254, 255, 256, 700])
def test_however_many_people_are_counted_together_none_is_lost(people: int) -> None:
    draws = np.random.default_rng(people)
    votes_PS = draws.integers(-1, 2, (people, 3)).astype(np.int8)
    seen_PS, labels_P = draws.random((people, 3)) < 0.9, draws.integers(-1, 2, people)
    found = count_votes(votes_PS, seen_PS, labels_P, 2)
    for group, column in np.ndindex(2, 3):
        cast = [int(votes_PS[row, column]) for row in range(people) if labels_P[row] == group and seen_PS[row, column]]
        counted = [int(each[group, column]) for each in (found.agrees, found.disagrees, found.passes)]
        assert counted == [cast.count(1), cast.count(-1), cast.count(0)]
