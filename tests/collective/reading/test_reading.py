"""Exports of every layout read to the same conversation, and everything odd in them is said."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

import polis_exports as town
from polis_exports import clojure, essence, latest, logged, replace_in, server_csv, server_json
from server_mathematics import served
from solon.collective.opinion.given_groups import exported_groups
from solon.collective.reading.findings import Import
from solon.collective.reading.folder import open_conversation
from solon.collective.tables import shown
from solon.errors import InputError

Writer = Callable[[Path], Path]
LAYOUTS: dict[str, Writer] = {
    "Clojure": clojure,
    "Clojure without votes.csv": lambda folder: clojure(folder, votes=False),
    "server CSV": server_csv,
    "server CSV, unquoted": lambda folder: server_csv(folder, quoted=False),
    "server JSON": server_json,
    "server JSON, turned": lambda folder: server_json(folder, sign=1),
}

XID_KEPT = "kept for the organiser alone, to join what else is known of people; in no export"


def said(imported: Import, severity: str) -> list[str]:
    return [str(one) for one in imported.findings if one.severity == severity]


def vote_of(imported: Import, participant: int, statement: int) -> int | None:
    talk = imported.conversation
    row = talk.participant_ids.tolist().index(participant)
    column = talk.statement_ids.tolist().index(statement)
    return int(talk.votes_PS[row, column]) if talk.seen_PS[row, column] else None


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_reads_to_the_same_conversation(tmp_path: Path, layout: str) -> None:
    talk = open_conversation(LAYOUTS[layout](tmp_path / "town")).conversation
    assert (talk.topic, talk.description) == (town.TOPIC, town.DESCRIPTION)
    assert {one.id: one.text for one in talk.statements} == town.TEXT
    assert {one.id: one.author for one in talk.statements} == town.AUTHOR
    assert {one.id: one.moderated for one in talk.statements} == town.MODERATED
    assert all(one.created == town.created(one.id) for one in talk.statements)
    assert tuple(talk.participant_ids.tolist()) == town.PEOPLE
    found = {
        (person, statement): int(talk.votes_PS[row, column])
        for row, person in enumerate(talk.participant_ids.tolist())
        for column, statement in enumerate(talk.statement_ids.tolist())
        if talk.seen_PS[row, column]
    }
    assert found == latest()


def test_seeds_and_statements_about_the_conversation_are_marked_where_the_export_says_so(tmp_path: Path) -> None:
    for writer in (clojure, server_json):
        talk = open_conversation(writer(tmp_path / writer.__name__)).conversation
        assert {one.id for one in talk.statements if one.is_seed} == town.SEEDS
        assert {one.id for one in talk.statements if one.is_meta} == town.META
    talk = open_conversation(server_csv(tmp_path / "silent")).conversation
    assert {one.is_seed for one in talk.statements} == {None}


def test_exported_groups_are_kept_by_name(tmp_path: Path) -> None:
    talk = open_conversation(clojure(tmp_path / "town")).conversation
    assert {one.id: one.exported_group for one in talk.participants if one.exported_group} == town.GROUP


def test_groups_that_the_server_stored_are_the_exported_ones(tmp_path: Path) -> None:
    """Once they were read by `analyse --math-from` alone, and principles said nothing of them."""
    folder = server_json(tmp_path / "town")
    one, other, third, *others = town.PEOPLE
    groups = {4: [[one, other], [999]], 2: [[third]]}
    people = [*town.PEOPLE, 999]
    told = served(latest(), people=people, statements=list(town.TEXT), groups=groups)
    (folder / "math-pca2.json").write_text(json.dumps(told), encoding="utf-8")
    imported = open_conversation(folder)
    assert {one.id: one.exported_group for one in imported.conversation.participants if one.exported_group} == {
        one: "4",
        other: "4",
        third: "2",
    }
    assert "math-pca2.json: 1 participant of its groups without any vote here: 999" in said(imported, "note")
    assert f"town: exported groups 2: 1, 4: 2; {len(others)} in none" in said(imported, "note")
    found = exported_groups(imported.conversation)
    assert found.names == ("2", "4") and found.sizes == (1, 2)


def test_two_ids_of_one_statement_that_differ_are_a_fault(tmp_path: Path) -> None:
    """Once the second was an unknown column, and the first was believed."""
    folder = server_json(tmp_path / "town")
    votes = json.loads((folder / "votes.json").read_text(encoding="utf-8"))
    for at, vote in enumerate(votes):
        vote["statement_id"] = vote["tid"] + (at == 1)
    (folder / "votes.json").write_text(json.dumps(votes, indent=1), encoding="utf-8")
    told = f"tid and statement_id differ: '{votes[1]['tid']} and {votes[1]['tid'] + 1}'"
    with pytest.raises(InputError, match=told):
        open_conversation(folder)
    for vote in votes:
        vote["statement_id"] = vote["tid"]
    (folder / "votes.json").write_text(json.dumps(votes, indent=1), encoding="utf-8")
    assert not [one for one in said(open_conversation(folder), "warning") if "statement_id" in one]


def test_stored_groups_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    folder = server_json(tmp_path / "town")
    (folder / "math-pca2.json").write_text('{"group-clusters": 7}', encoding="utf-8")
    imported = open_conversation(folder)
    assert "math-pca2.json: its groups cannot be read: `tids`: Field required; no exported groups" in said(
        imported, "warning"
    )
    assert not any(one.exported_group for one in imported.conversation.participants)


@pytest.mark.parametrize("writer", [clojure, server_csv])
def test_the_log_has_every_vote_in_order_of_time(tmp_path: Path, writer: Writer) -> None:
    assert logged(open_conversation(writer(tmp_path / "town")).conversation) == town.events()


def test_a_revote_replaces_what_came_before_it(tmp_path: Path) -> None:
    imported = open_conversation(clojure(tmp_path / "town"))
    assert vote_of(imported, 2, 0) == 1 and vote_of(imported, 8, 7) == 1
    assert "votes.csv: 3 re-votes; the latest vote of each voter counts, by the time written" in said(imported, "note")


@pytest.mark.parametrize("writer", [clojure, server_csv, server_json])
def test_the_order_of_rows_and_columns_changes_nothing(tmp_path: Path, writer: Callable[..., Path]) -> None:
    straight = open_conversation(writer(tmp_path / "0" / "town"))
    for seed in range(1, 4):
        shuffled = open_conversation(writer(tmp_path / f"{seed}" / "town", order=random.Random(seed)))
        assert essence(shuffled.conversation) == essence(straight.conversation)
        assert shuffled.conversation.participants == straight.conversation.participants
        assert logged(shuffled.conversation) == logged(straight.conversation)
        assert shuffled.findings == straight.findings


class TestSign:
    def test_a_usual_export_is_confirmed_in_words(self, tmp_path: Path) -> None:
        notes = said(open_conversation(clojure(tmp_path / "town")), "note")
        assert notes[0] == (
            "votes.csv: vote sign: +1 means agree, as 6 of 6 participants' own counts (n-agree), 4 of 4 statements' "
            "own counts (agrees), 5 of 5 authors' votes on their own statements confirm"
        )

    def test_the_servers_sign_and_its_swapped_counts_are_turned_round_and_said(self, tmp_path: Path) -> None:
        repairs = said(open_conversation(server_csv(tmp_path / "town")), "repair")
        assert [line.split(";")[0].split(" (")[0] for line in repairs] == [
            "votes.csv: vote sign: -1 means agree, as 7 of 7 authors' votes on their own statements confirm",
            "comments.csv: agrees and disagrees stand in each other's place",
            "participant-votes.csv: n-agree and n-disagree stand in each other's place",
        ]

    def test_one_file_with_the_opposite_sign_is_turned_round(self, tmp_path: Path) -> None:
        folder = clojure(tmp_path / "town")
        turned = [[time, s, p, -v] for time, s, p, v in town.events()]
        town.write(folder / "votes.csv", ["timestamp", "comment-id", "voter-id", "vote"], turned)
        imported = open_conversation(folder)
        assert essence(imported.conversation) == essence(open_conversation(clojure(tmp_path / "good")).conversation)
        assert "votes.csv: vote sign: -1 means agree" in said(imported, "repair")[0]
        assert "participants-votes.csv: its votes have the opposite sign of votes.csv" in said(imported, "repair")[1]

    def test_witnesses_that_contradict_each_other_are_refused_with_their_figures(self, tmp_path: Path) -> None:
        folder = clojure(tmp_path / "town", votes=False)
        town.matrix(folder / "participants-votes.csv", -1)  # counts of n-agree go with the votes: authors contradict
        with pytest.raises(InputError, match=r"unclear whether \+1 or -1 means agree: .*--vote-sign") as caught:
            open_conversation(folder)
        assert "authors' votes on their own statements: 0 for +1 and 5 for -1" in str(caught.value)

    @pytest.mark.parametrize("given", [1, -1])
    def test_the_option_decides_and_says_what_speaks_against_it(self, tmp_path: Path, given: int) -> None:
        imported = open_conversation(server_csv(tmp_path / "town"), vote_sign=given)
        assert vote_of(imported, 1, 0) == -given
        against = [line for line in said(imported, "warning") if "against the evidence" in line]
        assert len(against) == (given == 1)

    def test_a_server_export_without_authors_asks(self, tmp_path: Path) -> None:
        folder = server_csv(tmp_path / "town", quoted=True)
        rows = [[one, town.MODERATED[one], text] for one, text in town.TEXT.items()]
        town.write(folder / "comments.csv", ["comment-id", "moderated", "comment-body"], rows)
        with pytest.raises(InputError, match=r"votes.csv: a server export does not say whether.*--vote-sign agree=\+1"):
            open_conversation(folder)

    def test_a_clojure_export_that_nothing_confirms_is_taken_at_its_word(self, tmp_path: Path) -> None:
        town.write(tmp_path / "comments.csv", ["comment-id", "comment-body"], [[0, "More trees"]])
        town.write(tmp_path / "participants-votes.csv", ["participant", "0"], [[3, 1], [4, -1]])
        imported = open_conversation(tmp_path)
        assert vote_of(imported, 3, 0) == 1
        assert any("nothing in the export confirms that +1 means agree" in line for line in said(imported, "warning"))

    def test_passes_alone_need_no_sign(self, tmp_path: Path) -> None:
        town.write(tmp_path / "comments.csv", ["comment-id", "comment-body"], [[0, "More trees"]])
        town.write(tmp_path / "participants-votes.csv", ["participant", "0"], [[3, 0]])
        assert vote_of(open_conversation(tmp_path), 3, 0) == 0


class TestTies:
    """Two votes at one time: the order of rows decides nothing."""

    HEAD = ("timestamp", "comment-id", "voter-id", "vote")

    def export(self, folder: Path, rows: list[list[int]], cell: str | None) -> Path:
        votes = [[town.START + at, 0, 10 + at, 1] for at in range(4)]
        town.write(folder / "comments.csv", ["comment-id", "comment-body"], [[0, "More trees"]])
        town.write(folder / "votes.csv", self.HEAD, [*votes, *rows])
        if cell is not None:
            matrix = [[10 + at, 1] for at in range(4)]
            town.write(folder / "participants-votes.csv", ["participant", "0"], [*matrix, [1, cell]])
        return folder

    @pytest.mark.parametrize(("votes", "counts"), [((1, -1), -1), ((0, 1), 0), ((-1, 0), -1)])
    def test_the_lowest_counts_in_either_order(self, tmp_path: Path, votes: tuple[int, int], counts: int) -> None:
        for turn, pair in enumerate((votes, votes[::-1])):
            rows = [[town.START + 99, 0, 1, vote] for vote in pair]
            imported = open_conversation(self.export(tmp_path / str(turn), rows, None), vote_sign=1)
            assert vote_of(imported, 1, 0) == counts
            assert logged(imported.conversation)[-1] == (town.START + 99, 0, 1, counts)
            assert said(imported, "repair") == [
                "votes.csv: different votes of one voter on one statement at the same time, 1 case: voter 1 on "
                "statement 0; the lowest counts: disagree before pass before agree"
            ]

    def test_the_lowest_is_lowest_once_the_sign_is_turned(self, tmp_path: Path) -> None:
        rows = [[town.START + 99, 0, 1, vote] for vote in (1, -1)]
        assert vote_of(open_conversation(self.export(tmp_path, rows, None), vote_sign=-1), 1, 0) == -1

    def test_the_matrix_knows_better(self, tmp_path: Path) -> None:
        rows = [[town.START + 99, 0, 1, vote] for vote in (1, -1)]
        imported = open_conversation(self.export(tmp_path, rows, "1"), vote_sign=1)
        assert vote_of(imported, 1, 0) == 1
        assert any("participants-votes.csv decides" in line for line in said(imported, "repair"))

    def test_a_later_vote_settles_it(self, tmp_path: Path) -> None:
        rows = [[town.START + 99, 0, 1, vote] for vote in (1, -1)] + [[town.START + 100, 0, 1, 0]]
        imported = open_conversation(self.export(tmp_path, rows, None), vote_sign=1)
        assert vote_of(imported, 1, 0) == 0 and said(imported, "repair") == []

    @pytest.mark.parametrize("cell", [None, "0"])
    def test_without_times_the_matrix_tells_or_nobody_does(self, tmp_path: Path, cell: str | None) -> None:
        folder = self.export(tmp_path, [], cell)
        votes = [[0, 10 + at, 1] for at in range(4)] + [[0, 1, 1], [0, 1, 0]]
        town.write(folder / "votes.csv", self.HEAD[1:], votes)
        if cell is None:
            what = "participant 1 voted in different ways on statement 0, and without times nothing tells"
            with pytest.raises(InputError, match=rf"votes.csv:[67]: {what}"):
                open_conversation(folder, vote_sign=1)
        else:
            imported = open_conversation(folder, vote_sign=1)
            assert vote_of(imported, 1, 0) == 0 and imported.conversation.log is None


class TestRepeated:
    def test_a_vote_written_twice_counts_once(self, tmp_path: Path) -> None:
        folder = clojure(tmp_path / "town")
        row = (folder / "votes.csv").read_text().splitlines()[5]
        with open(folder / "votes.csv", "a") as file:
            file.write(f"{row}\n{row}\n")
        imported = open_conversation(folder)
        assert logged(imported.conversation) == town.events()
        assert said(imported, "repair")[0].startswith(
            "votes.csv: 2 votes written twice (same voter, statement, vote and"
        )

    @pytest.mark.parametrize("name", ["comments.csv", "participants-votes.csv"])
    def test_a_row_written_twice_counts_once(self, tmp_path: Path, name: str) -> None:
        folder = clojure(tmp_path / "town")
        row = (folder / name).read_text().splitlines()[1]
        with open(folder / name, "a") as file:
            file.write(f"{row}\n")
        imported = open_conversation(folder)
        assert essence(imported.conversation) == essence(open_conversation(clojure(tmp_path / "good")).conversation)
        assert [line for line in said(imported, "repair") if "1 row twice over" in line and name in line]

    def test_a_row_again_with_other_cells_is_refused(self, tmp_path: Path) -> None:
        folder = clojure(tmp_path / "town")
        with open(folder / "participants-votes.csv", "a") as file:
            file.write("13,1,1,6,5,1,1,0,1,-1,,1,1\n")
        with pytest.raises(InputError, match=r"participants-votes.csv:8: participant 13 again, .* than in line 7"):
            open_conversation(folder)

    def test_statements_with_the_same_words_are_noted(self, tmp_path: Path) -> None:
        folder = clojure(tmp_path / "town")
        replace_in(folder / "comments.csv", "<b>Bold</b> plans", "we call it  “x”")
        replace_in(folder / "comments.csv", "日本庭園をもっと", "We call it “X”")
        notes = said(open_conversation(folder), "note")
        assert "comments.csv: 1 statement word for word as an earlier one: 9" in notes


class TestCounts:
    @pytest.mark.parametrize("count", ["-3", "many", "1.5", "9" * 18, "9" * 30])
    def test_an_impossible_count_is_ignored_and_said(self, tmp_path: Path, count: str) -> None:
        folder = clojure(tmp_path / "town")
        replace_in(folder / "comments.csv", ",4,3,2,2,0,", f",4,3,{count},2,0,")
        imported = open_conversation(folder)
        assert said(imported, "warning") == [
            f"comments.csv: agrees is an impossible count in 1 row ({shown(count, 30)}): comment-id 4; ignored; counts "
            "are made from the votes"
        ]

    @pytest.mark.parametrize("count", ["-1", str(10**30), "1.5", "true"])
    def test_in_json_too(self, tmp_path: Path, count: str) -> None:
        folder = server_json(tmp_path / "town", sign=1)
        replace_in(folder / "comments.json", '"agree_count": 4', f'"agree_count": {count}')
        warnings = said(open_conversation(folder), "warning")
        assert len(warnings) == 1 and "agree_count is an impossible count in 1 item" in warnings[0]
        assert warnings[0].endswith("tid 0; ignored; counts are made from the votes")

    def test_counts_that_do_not_fit_the_votes_are_said(self, tmp_path: Path) -> None:
        folder = clojure(tmp_path / "town")
        replace_in(folder / "participants-votes.csv", "\n1,0,2,6,5,1,", "\n1,0,2,60,5,1,")
        warnings = said(open_conversation(folder), "warning")
        assert warnings[0].startswith("participants-votes.csv: n-votes does not fit for 1 participant: 1")
        assert warnings[1].startswith("participants-votes.csv: impossible counts of 1 participant (")

    def test_totals_of_the_summary_are_checked(self, tmp_path: Path) -> None:
        folder = clojure(tmp_path / "town")
        replace_in(folder / "summary.csv", "voters,6", "voters,60")
        assert said(open_conversation(folder), "warning") == [
            "summary.csv: voters is 60, but there are 6; the other files count"
        ]

    def test_clojure_counts_revotes_twice_and_nobody_is_alarmed(self, tmp_path: Path) -> None:
        imported = open_conversation(clojure(tmp_path / "town", votes=False))
        assert any("re-votes count twice there" in line for line in said(imported, "note"))

    def test_the_mathematics_of_the_server_count_voters(self, tmp_path: Path) -> None:
        folder = server_json(tmp_path / "town")
        replace_in(folder / "math-pca2.json", '"13": 6', '"13": 5')
        warnings = said(open_conversation(folder), "warning")
        assert [line.split(";")[0] for line in warnings] == [
            "math-pca2.json: user-vote-counts does not fit for 1 participant: 13"
        ]


class TestTwoFilesDiffer:
    def test_the_file_that_gives_a_participants_own_counts_decides(self, tmp_path: Path) -> None:
        folder = clojure(tmp_path / "town")
        good = vote_of(open_conversation(folder), 13, 4)
        text = (folder / "votes.csv").read_text().splitlines(keepends=True)
        line = next(at for at, row in enumerate(text) if row.endswith(",4,13,-1\n"))
        text[line] = text[line].replace(",4,13,-1", ",4,13,1")
        (folder / "votes.csv").write_text("".join(text))
        imported = open_conversation(folder)
        assert good == vote_of(imported, 13, 4) == -1
        assert "votes.csv decided 0, participants-votes.csv 1" in " ".join(said(imported, "repair"))

    def test_voters_and_statements_without_a_row_are_kept(self, tmp_path: Path) -> None:
        folder = clojure(tmp_path / "town")
        for name, start in (("participants-votes.csv", "8,"), ("comments.csv", f"{town.created(9)},")):
            lines = (folder / name).read_text().splitlines(keepends=True)
            (folder / name).write_text("".join(line for line in lines if not line.startswith(start)))
        imported = open_conversation(folder)
        assert imported.conversation.participant_ids.tolist() == list(town.PEOPLE)
        assert imported.conversation.statements[5].text == ""
        warnings = " ".join(said(imported, "warning"))
        assert "participants-votes.csv: 1 voter without a row: 8; kept" in warnings
        assert "comments.csv: 1 statement with votes or a column but without a row: 9; kept without text" in warnings

    def test_votes_before_their_statement_are_said(self, tmp_path: Path) -> None:
        folder = clojure(tmp_path / "town", votes=True)
        early = [[town.START - 5 if s == 9 else time, s, p, v] for time, s, p, v in town.events()]
        town.write(folder / "votes.csv", ["timestamp", "comment-id", "voter-id", "vote"], early)
        assert "votes.csv: 5 votes earlier than the statement, on 1 statement: 9; both times kept" in said(
            open_conversation(folder), "warning"
        )


class TestExternalIds:
    def test_they_are_kept_and_said(self, tmp_path: Path) -> None:
        imported = open_conversation(clojure(tmp_path / "town", xid=True))
        assert f"participants-votes.csv: external ids (xid) of 6 participants: {XID_KEPT}" in said(imported, "note")
        assert all(one.xid == f"panel-{one.id}" for one in imported.conversation.participants)

    def test_in_json_too(self, tmp_path: Path) -> None:
        folder = server_json(tmp_path / "town", sign=1)
        replace_in(folder / "votes.json", '"pid": 1,', '"xid": "panel-1",\n  "pid": 1,')
        imported = open_conversation(folder)
        assert f"votes.json: external ids (xid) of 1 participant: {XID_KEPT}" in said(imported, "note")
        assert {one.id: one.xid for one in imported.conversation.participants if one.xid} == {1: "panel-1"}

    def test_of_two_in_json_none_counts(self, tmp_path: Path) -> None:
        folder = server_json(tmp_path / "town", sign=1)
        for name in ("a", "b"):
            replace_in(folder / "votes.json", '{\n  "pid": 1,', f'{{\n  "xid": "{name}",\n  "pid": 1,')
        imported = open_conversation(folder)
        assert not any(one.xid for one in imported.conversation.participants)
        warned = "votes.json: 1 participant with more than one external id: 1; none of them is kept"
        assert warned in said(imported, "warning")


class TestTexts:
    def test_odd_texts_are_kept_and_said(self, tmp_path: Path) -> None:
        folder = clojure(tmp_path / "town")
        path = folder / "comments.csv"
        replace_in(path, "<b>Bold</b> plans", "x" * 1001)
        replace_in(path, "日本庭園をもっと", "cafÃ©")
        replace_in(path, "Is this conversation fair?", "a\x1b[2Jb")
        replace_in(path, "=SUM(1,2) is no opinion", " ")
        imported = open_conversation(folder)
        texts = {one.id: one.text for one in imported.conversation.statements}
        assert texts[10] == "a\ufffd[2Jb" and len(texts[9]) == 1001
        lines = " ".join(said(imported, "repair") + said(imported, "warning"))
        for part in (
            "control characters in 1 statement: 10; replaced",
            "1 statement without text: 1; kept",
            "look read in the wrong encoding: 7",
            "1 statement longer than Polis allows (1,000 characters): 9; kept whole",
        ):
            assert part in lines

    def test_unquoted_statements_keep_unusual_line_separators(self, tmp_path: Path) -> None:
        folder = server_csv(tmp_path / "town", quoted=False)
        replace_in(folder / "comments.csv", "日本庭園をもっと", "one\u2028two, three")
        assert open_conversation(folder).conversation.statements[4].text == "one\u2028two, three"

    def test_a_quoted_file_that_is_broken_is_not_taken_for_an_unquoted_one(self, tmp_path: Path) -> None:
        folder = server_csv(tmp_path / "town")
        text = (folder / "comments.csv").read_text()
        (folder / "comments.csv").write_text(text[: text.index("then bicycles")])
        with pytest.raises(InputError, match=r"comments.csv:5: broken CSV"):
            open_conversation(folder)

    def test_an_unknown_text_column_in_a_quoted_server_file_is_ignored(self, tmp_path: Path) -> None:
        folder = server_csv(tmp_path / "town")
        lines = (folder / "comments.csv").read_text().replace("comment-body\n", "comment-body,mood\n")
        lines = lines.replace("first,\nthen", "first then")
        head, *rows = lines.splitlines()
        (folder / "comments.csv").write_text("\n".join([head, *(f"{row},en" for row in rows)]) + "\n")
        imported = open_conversation(folder)
        assert imported.conversation.statements[0].text == "More benches, please"
        assert "comments.csv: 1 unknown column: 'mood'; ignored" in said(imported, "warning")
