"""Decisions, one at a time: what each changes, and that nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from solon.collective.conversation import Participant, Statement
from solon.collective.opinion.results import Groups
from solon.collective.principles.constitution import candidates_of
from solon.collective.principles.deciding import (
    checked,
    decided,
    left_out,
    made_one,
    moved,
    quoted_as_is,
    renewed,
    without,
    worded,
)
from solon.collective.principles.merges import (
    FORMAT,
    Citation,
    Merge,
    MergeFile,
    NamedTopic,
    Rewording,
    ideas_of,
    merges_toml,
    parsed_merges,
    read_merges,
)
from solon.collective.principles.selection import Asked, Rule
from solon.errors import InputError
from talks import conversation_of

TEXTS = {1: "Be kind.", 2: "Be friendly.", 3: " Be\nbrief. ", 4: "I own a boat."}
CITED = {number: Citation(id=number, text=text) for number, text in TEXTS.items()}
EMPTY = MergeFile(format=FORMAT)
PROPOSED = MergeFile(
    format=FORMAT,
    made_by="by hand",
    merge=(Merge(id="merge-1", wording="Be kind.", statements=(CITED[1], CITED[2])),),
    wording=(Rewording(statement=4, wording="I own a boat.", text=TEXTS[4], why="states a fact"),),
    topic=(NamedTopic(name="kind", statements=(1, 2)),),
)


def talk():  # type: ignore[no-untyped-def]
    """Everybody agrees, fewer with every statement."""
    votes = [(who, number, -1 if who - 10 < number else 1) for who in range(10, 20) for number in TEXTS]
    return conversation_of(
        [Statement(id=number, text=text) for number, text in TEXTS.items()],
        [Participant(id=n) for n in range(10, 20)],
        votes,
    )


def idea(file: MergeFile, number: int):  # type: ignore[no-untyped-def]
    return next(one for one in ideas_of(talk(), file).ideas if number in one.statement_ids)


def test_words_of_a_person_stand_beside_those_of_the_public() -> None:
    file = checked(worded(EMPTY, idea(EMPTY, 1), CITED[1], "Kindness\nfirst"))
    found = idea(file, 1)
    assert (found.text, found.by_person, found.statement_ids) == ("Kindness first", True, (1,))
    assert file.wording[0].text == TEXTS[1]
    for words in ("", "Be kind."):
        assert worded(file, found, CITED[1], words) == EMPTY, "their own words are nobody's decision"
    assert worded(EMPTY, idea(EMPTY, 3), CITED[3], "Be brief.") == EMPTY, "but for line breaks"


def test_left_out_and_quoted_again() -> None:
    file = checked(left_out(PROPOSED, CITED[4], "about a  boat"))
    assert ideas_of(talk(), file).left_out[4].detail == "about a boat"
    again = quoted_as_is(file, 4)
    assert again.wording == PROPOSED.wording, "what speaks for looking is still said"
    assert quoted_as_is(left_out(EMPTY, CITED[1], ""), 1) == EMPTY


def test_made_one_and_apart() -> None:
    file = checked(made_one(PROPOSED, idea(PROPOSED, 2), idea(PROPOSED, 3), TEXTS))
    (merge,) = [one for one in file.merge if one.decision]
    assert [one.id for one in merge.statements] == [2, 3] and merge.wording == "Be friendly." and merge.id == "merge-2"
    more = checked(made_one(file, idea(file, 1), idea(file, 3), TEXTS))
    assert idea(more, 1).statement_ids == (1, 2, 3), "a merge is taken in whole"
    assert [one.id for one in more.merge if one.decision] == ["merge-3"]
    with pytest.raises(InputError, match="statement 2 is merged twice"):
        checked(decided(file, "merge-1", "yes"))
    apart = checked(decided(file, "merge-2", "no"))
    assert all(len(one.statement_ids) == 1 for one in ideas_of(talk(), apart).ideas)
    with pytest.raises(InputError, match="there is no proposal merge-9"):
        decided(file, "merge-9", "yes")


def test_an_order_that_a_person_chose(tmp_path: Path) -> None:
    groups = Groups(
        participant_ids=talk().participant_ids,
        labels_G=talk().participant_ids * 0,
        names=("0",),
        silhouettes={},
        method="given",
    )
    rule = Rule(threshold=0.0, majority=False)
    ids = [one.id for one in candidates_of(talk(), groups, rule).ideas.ideas]
    assert ids == [1, 2, 3, 4]

    def standing(file: MergeFile) -> list[int]:
        found = candidates_of(talk(), groups, rule, file, draws=0)
        return [found.ideas.ideas[at].id for at in found.in_order]

    assert standing(EMPTY) == [1, 2, 3, 4], "by consensus"
    up = moved(EMPTY, standing(EMPTY), 3, -1)
    assert standing(up) == [1, 3, 2, 4]
    assert standing(moved(up, standing(up), 4, -100)) == [4, 1, 3, 2]
    assert standing(moved(up, standing(up), 4, 1)) == standing(up), "the last one stays the last"
    assert parsed_merges(Path("m.toml"), merges_toml(up)) == up
    path = tmp_path / "merges.toml"
    path.write_text(merges_toml(EMPTY.model_copy(update={"order": (1, 77)})))
    with pytest.raises(InputError, match="the conversation has no statement 77"):
        read_merges(path, talk())


def test_new_proposals_ask_nothing_again() -> None:
    no = decided(PROPOSED, "merge-1", "no")
    assert renewed(no, PROPOSED) == no
    named = worded(PROPOSED, idea(PROPOSED, 4), CITED[4], "People own boats.")
    other = PROPOSED.model_copy(
        update={"merge": (*PROPOSED.merge, Merge(id="merge-2", statements=(CITED[2], CITED[3])))}
    )
    both = renewed(decided(named, "merge-1", "no"), other)
    assert [(one.id, one.decision) for one in both.merge] == [("merge-1", "no"), ("merge-2", "")]
    assert [one.decision for one in both.wording] == ["yes"] and both.topic == PROPOSED.topic


def test_nothing_stays_of_statements_that_are_gone() -> None:
    file = moved(worded(PROPOSED, idea(PROPOSED, 4), CITED[4], "Boats."), [1, 2, 3, 4], 4, -9)
    assert "boat" not in merges_toml(without(file, {4}, {})).lower() and without(file, {4}, {}).order == (1, 2, 3)
    assert without(file, {1}, {}).merge == () and without(file, {1}, {}).topic[0].statements == (2,)
    assert without(file, set(), {}) == file


@pytest.mark.parametrize(
    ("name", "gone", "left"),
    [
        ("kind, boat, Zebulon", {3}, "kind, boat"),
        ("Zebulon, whispers", {3}, "other"),
        ("kind, Zebulon", {9}, "kind, Zebulon"),
        ("猫を飼う", {3}, "other"),
        ("Kind boats", {3}, "other"),
    ],
    ids=["the words that others have", "none of them", "another's statement", "a whole statement", "no part of a name"],
)
def test_the_name_of_a_topic_keeps_no_word_of_a_statement_that_is_gone(name: str, gone: set[int], left: str) -> None:
    file = MergeFile(format=FORMAT, topic=(NamedTopic(name=name, statements=(1, 2, 3)),))
    (topic,) = without(file, gone, {1: "Be kind.", 2: "My BOAT is slow."}).topic
    assert (topic.name, 3 in topic.statements) == (left, 3 not in gone)


def test_a_rule_that_leaves_things_open_follows_from_the_groups() -> None:
    ids = talk().participant_ids
    groups = Groups(participant_ids=ids, labels_G=ids % 2, names=("0", "1"), silhouettes={}, method="given")
    assert Asked().rule(groups) == Rule(minimum_votes=3)
    assert Asked(threshold=0.4).rule(groups).majority is False
    assert Asked(threshold=0.4, majority=True, minimum_votes=0).rule(groups) == Rule(
        threshold=0.4, majority=True, minimum_votes=0
    )
