"""The merges file: what it says of itself is read back, and every fault is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from collective.principles.test_neutral import NASTY
from solon.collective.conversation import AGREE, DISAGREE, Conversation, Participant, Statement
from solon.collective.principles.merges import (
    Citation,
    Merge,
    MergeFile,
    NamedTopic,
    Rewording,
    merges_toml,
    read_merges,
)
from solon.collective.principles.topics import propose
from solon.errors import InputError
from talks import conversation_of

GOOD = """\
format = "solon-merges-1"

[[merge]]
id = "merge-1"
decision = "yes"
wording = "AI should be kind"
statements = [
  { id = 1, text = "AI should be kind" },
  { id = 2, text = "be kind" },
]

[[wording]]
statement = 3
decision = "no"
text = "Hm"

[[topic]]
name = "kindness"
statements = [1, 2]
"""


def conversation(*texts: str, votes: list[tuple[int, int, int]] | None = None) -> Conversation:
    """Statements count from 1, people from 1."""
    people = sorted({person for person, _, _ in votes or [(1, 1, 1)]})
    return conversation_of(
        [Statement(id=at, text=text, moderated=1) for at, text in enumerate(texts, start=1)],
        [Participant(id=person) for person in people],
        votes or [],
    )


def faults_of(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "m.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_merges(path)
    return [f"{fault.where.line if fault.where else None}: {fault.what}" for fault in caught.value.faults]


def test_what_is_written_is_read_as_the_same(tmp_path: Path) -> None:
    nasty = [text.encode("utf-8", "replace").decode() for text in NASTY]
    file = MergeFile(
        format="solon-merges-1",
        made_by='by "hand"',
        topic=(NamedTopic(name="a, b", statements=(1, 2)),),
        merge=(
            Merge(
                id="m",
                decision="no",
                wording="w",
                similarity=0.5,
                statements=tuple(Citation(id=at, text=text) for at, text in enumerate(nasty)),
                taken_out=(Citation(id=99, text="\\"),),
                note="why",
            ),
        ),
        wording=tuple(Rewording(statement=at, text=text, why="so") for at, text in enumerate(nasty)),
    )
    path = tmp_path / "m.toml"
    path.write_text(merges_toml(file), encoding="utf-8")
    assert read_merges(path) == file
    path.write_bytes(merges_toml(file).replace("\n", "\r\n").encode("utf-8"))
    assert read_merges(path) == file, "an editor of another system may end lines as it likes"


def test_the_good_file_is_good(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(GOOD, encoding="utf-8")
    file = read_merges(path, conversation("AI should be kind", "be kind", "Hm"))
    assert (file.total, file.open) == (2, 0)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('decision = "yes"', 'decision = "maybe"', "5: "),
        ('decision = "yes"', 'decison = "yes"', "5: "),
        ('id = "merge-1"', 'id = "merge 1"', "4: "),
        ("{ id = 2,", '{ id = "two",', "7: `merge.0.statements.1.id` cannot be used"),
        ("statement = 3", "statement = 2", "13: statement 2 is left out here and merged in `merge-1`"),
        ("{ id = 2,", "{ id = 1,", "4: merge `merge-1` has a single statement"),
        ('wording = "AI should be kind"', 'wording = " "', "4: merge `merge-1` has no wording"),
        ('format = "solon-merges-1"', 'format = "other"', "1: is no merges file: `format` is 'other'"),
        ("{ id = 2, text", "{ id = 2 text", "9: is not TOML"),
        ('text = "Hm"', 'text = "Hm', "15: is not TOML"),
    ],
)
def test_faults_of_an_edited_file_are_named_by_line(tmp_path: Path, old: str, new: str, fault: str) -> None:
    found = faults_of(tmp_path, GOOD.replace(old, new, 1))
    assert any(one.startswith(fault) for one in found), found


def test_contradictions_are_named_together(tmp_path: Path) -> None:
    again = GOOD + GOOD[GOOD.index("[[merge]]") : GOOD.index("[[topic]]")]
    found = faults_of(tmp_path, again)
    assert found == [
        "21: the id `merge-1` is used twice",
        "21: statement 1 is merged twice, in `merge-1` and in `merge-1`",
        "21: statement 2 is merged twice, in `merge-1` and in `merge-1`",
        "30: statement 3 has two wordings",
    ]


def test_an_empty_wording_cannot_be_accepted(tmp_path: Path) -> None:
    text = GOOD.replace('decision = "no"\ntext', 'decision = "yes"\nwording = ""\ntext')
    assert faults_of(tmp_path, text) == ["13: the wording of statement 3 is empty"]


def test_a_file_of_another_conversation_is_refused_with_lines(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(GOOD, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_merges(path, conversation("AI should be kind", "be cruel"))
    found = [f"{fault.where.line if fault.where else None}: {fault.what}" for fault in caught.value.faults]
    assert found == ["9: statement 2 reads 'be cruel' in the conversation", "13: the conversation has no statement 3"]


@pytest.mark.parametrize("data", [b"\xff\xfe", b"", b"[[[[[", b"x = " + b"[" * 3000])
def test_no_text_at_all_is_a_clear_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "m.toml"
    path.write_bytes(data)
    with pytest.raises(InputError):
        read_merges(path)


def test_proposals_are_undecided_and_say_how_people_voted() -> None:
    votes = [(1, 1, AGREE), (1, 2, AGREE), (2, 1, AGREE), (2, 2, DISAGREE), (3, 1, AGREE)]
    talk = conversation(
        "AI should spread joy", "the AI must spread joy!", "AI should be brief", "Is AI a tool?", "!!!", votes=votes
    )
    file, _ = propose(talk)
    (merge,) = file.merge
    assert [one.id for one in merge.statements] == [1, 2]
    assert (merge.decision, merge.wording, merge.voted_alike) == ("", "AI should spread joy", "1 of 2")
    assert [(one.statement, one.decision) for one in file.wording] == [(4, ""), (5, "")]
    assert file.open == file.total == 3
    assert sorted(one for topic in file.topic for one in topic.statements) == [1, 2, 3, 4, 5]


def test_nothing_to_propose_from() -> None:
    assert propose(conversation())[0].total == 0
