"""Moderation: who decides, on what, why, and what everybody may know of it."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError
from starlette.applications import Starlette

from solon.collective.principles.topics import vectors_of
from solon.web.collect import alike
from solon.web.db.tables import Decision, Participant, Removal, Statement
from web.visitor import Visitor, conversation_in, filled, member_of, owner_of, participant_in, the_site, token

FORMULA = '=HYPERLINK("http://evil.example","click")'
SEEDS = ("An assistant should say when it is not sure.", "It should never joke about illness.", "Be brief.")
REJECTION = {"decision": "reject", "criterion": "It advertises something.", "against": "It sells shoes."}


def statement(app: Starlette, number: int) -> Statement:
    with the_site(app).database.session(writes=False) as db:
        return db.scalars(select(Statement).where(Statement.number == number)).one()


def moderation_of(app: Starlette, number: int) -> Sequence[Decision]:
    with the_site(app).database.session(writes=False) as db:
        return db.scalars(select(Decision).join(Statement).where(Statement.number == number)).all()


@pytest.fixture
def at(owner: Visitor) -> str:
    return conversation_in(owner, SEEDS, votes_before_writing="0")


@pytest.fixture
def author(app: Starlette, at: str) -> Visitor:
    """Has written statement 3, which waits."""
    visitor = participant_in(app, at)
    visitor.get(f"{at}/write")
    visitor.send("/write", text="Buy my shoes!")
    return visitor


@pytest.fixture
def moderator(app: Starlette, at: str, owner: Visitor) -> Visitor:
    return moderator_in(app, at, owner, "Ines")


def moderator_in(app: Starlette, at: str, owner: Visitor, name: str) -> Visitor:
    visitor = member_of(app, owner, name)
    owner.get(f"{at}/manage")
    form = next(one for one in owner.page.all("form") if name in one.text)
    fields = {str(one.attributes["name"]): str(one.attributes["value"]) for one in form.all("input")}
    owner.post(f"{at}/roles", {**fields, "role": "moderator"})
    return visitor


class TestDeciding:
    def test_one_after_the_other_and_accepted_ones_are_voted_on(
        self, app: Starlette, at: str, author: Visitor, moderator: Visitor
    ) -> None:
        moderator.get(f"{at}/moderate")
        assert "Buy my shoes!" in moderator.heading and "1 statement waits for you." in moderator.page.text
        moderator.send("/moderate/3", decision="accept")
        assert moderator.heading == "Nothing waits for you." and statement(app, 3).moderated == 1
        voter, seen = participant_in(app, at), set()
        for _ in range(4):
            seen.add(voter.heading)
            voter.send("/vote", vote="pass")
        assert "Buy my shoes!" in seen

    def test_a_rejection_names_a_criterion_and_a_reason(
        self, app: Starlette, at: str, author: Visitor, moderator: Visitor
    ) -> None:
        for wrong in ({"criterion": ""}, {"criterion": "I do not like it."}, {"against": " "}):
            moderator.get(f"{at}/moderate")
            moderator.send("/moderate/3", {**REJECTION, **wrong})
            assert moderator.status == 422 and statement(app, 3).moderated == 0
        moderator.get(f"{at}/moderate")
        moderator.send("/moderate/3", decision="accept", reason="")
        assert moderator.status == 422 and statement(app, 3).open

    def test_a_second_moderator_confirms_or_takes_back(
        self, app: Starlette, at: str, owner: Visitor, author: Visitor, moderator: Visitor
    ) -> None:
        moderator.get(f"{at}/moderate")
        moderator.send("/moderate/3", REJECTION)
        assert statement(app, 3).moderated == -1 and statement(app, 3).open, "hidden at once"
        assert "1 that you rejected waits for somebody else." in moderator.page.text
        moderator.get(f"{at}/moderate/3")
        moderator.send("/moderate/3", REJECTION)
        assert moderator.status == 409, "nobody confirms their own"
        second = moderator_in(app, at, owner, "Omar")
        second.get(f"{at}/moderate")
        assert "It sells shoes." in second.page.text and "second look" in second.page.text
        second.send("/moderate/3", REJECTION)
        assert not statement(app, 3).open and statement(app, 3).moderated == -1

        author.get(f"{at}/write")
        assert "Not accepted. It advertises something. It sells shoes." in author.page.text
        author.send("/appeal/3", reason="It is a metaphor.")
        author.post(f"{at}/appeal/3", {"csrf": token(app, author), "reason": "Again!"})
        assert author.status == 409
        second.get(f"{at}/moderate")
        assert second.heading == "Nothing waits for you."
        moderator.get(f"{at}/moderate")
        assert "It is a metaphor." in moderator.page.text
        moderator.send("/moderate/3", decision="accept", reason="So it is.")
        assert statement(app, 3).moderated == 1 and not statement(app, 3).open

    def test_two_at_once_do_not_undo_each_other(
        self, app: Starlette, at: str, owner: Visitor, author: Visitor, moderator: Visitor
    ) -> None:
        second = moderator_in(app, at, owner, "Omar")
        for one in (moderator, second):
            one.get(f"{at}/moderate")
        moderator.send("/moderate/3", decision="accept")
        second.send("/moderate/3", REJECTION)
        assert second.status == 409 and statement(app, 3).moderated == 1
        assert "It sells shoes." in [one.text for one in second.page.all("textarea")], "the reason is given back"

    def test_better_words_are_another_statement(
        self, app: Starlette, at: str, author: Visitor, moderator: Visitor
    ) -> None:
        moderator.get(f"{at}/moderate")
        moderator.send("/rewrite", text="Buy my shoes!", why="Clearer.")
        assert moderator.status == 422
        moderator.send("/rewrite", text="Shops may advertise.", why="Clearer.")
        old, new = statement(app, 3), statement(app, 4)
        assert (old.text, old.moderated, old.open) == ("Buy my shoes!", -1, True)
        assert (new.text, new.moderated, new.rewritten_from) == ("Shops may advertise.", 1, 3)
        assert not new.is_seed, "the thought is not the organisers'"
        author.get(f"{at}/write")
        assert "Said in better words: Shops may advertise." in author.page.text and "Clearer." in author.page.text
        page = Visitor(app).get(f"{at}/removed")
        assert "Said in better words: Shops may advertise." in page.text and "Buy my shoes" not in page.text

    def test_nobody_makes_their_own_rejection_stand_by_other_words(
        self, app: Starlette, at: str, owner: Visitor, author: Visitor, moderator: Visitor
    ) -> None:
        moderator.get(f"{at}/moderate")
        moderator.send("/moderate/3", REJECTION)
        moderator.get(f"{at}/moderate/3")
        moderator.send("/rewrite", text="Shops may advertise.", why="Clearer.")
        assert moderator.status == 409 and statement(app, 3).open
        second = moderator_in(app, at, owner, "Omar")
        second.get(f"{at}/moderate")
        second.send("/rewrite", text="Shops may advertise.", why="Clearer.")
        assert second.status == 200 and not statement(app, 3).open
        assert statement(app, 4).rewritten_from == 3, "what was refused left nothing behind"

    def test_better_words_that_are_rejected_are_shown_to_nobody(
        self, app: Starlette, at: str, author: Visitor, moderator: Visitor, stranger: Visitor
    ) -> None:
        moderator.get(f"{at}/moderate")
        moderator.send("/rewrite", text="My neighbour sells shoes.", why="Clearer.")
        moderator.get(f"{at}/moderate/4")
        moderator.send("/moderate/4", REJECTION)
        for visitor, page in ((stranger, "removed"), (author, "write")):
            assert "neighbour" not in visitor.get(f"{at}/{page}").text and visitor.status == 200

    def test_near_duplicates_stand_beside_it(self, app: Starlette, at: str, moderator: Visitor) -> None:
        writer = participant_in(app, at)
        writer.get(f"{at}/write")
        near = "An assistant should say if it is not sure"
        writer.send("/write", text=near)
        assert writer.status == 422 and "Is your thought among these?" in writer.page.text
        assert SEEDS[0] in writer.page.text and SEEDS[1] not in writer.page.text
        writer.send("/write")
        assert writer.status == 200 and near in writer.page.text, "whoever means it sends it again"
        moderator.get(f"{at}/moderate")
        beside = next(one for one in moderator.page.all("section") if one.attributes.get("aria-labelledby") == "alike")
        assert SEEDS[0] in beside.text and SEEDS[2] not in beside.text

    def test_a_duplicate_is_rejected_in_one_step(
        self, app: Starlette, at: str, owner: Visitor, moderator: Visitor, author: Visitor
    ) -> None:
        author.get(f"{at}/write")
        author.send("/write", text="Buy my shoes at once!", anyway="yes")
        moderator.get(f"{at}/moderate/4")
        moderator.send("/moderate/4", duplicate="3")
        told = moderation_of(app, 4)
        assert [(one.action, one.criterion, one.reason) for one in told] == [
            ("reject", "It says what another statement says already.", "It says the same as statement 3.")
        ]
        assert statement(app, 4).moderated == -1 and statement(app, 3).moderated == 0
        for duplicate in ("3", "4", "99", "x"):
            moderator.get(f"{at}/moderate/3")
            moderator.post(f"{at}/moderate/3", {"csrf": moderator.csrf, "seen": "0", "duplicate": duplicate})
            assert moderator.status == 409, "not of itself, nor of what is rejected or is not there"
        owner.get(f"{at}/settings")
        owner.send("/settings", {**filled(owner.form("/settings")), "criteria": "It is not about the subject."})
        moderator.get(f"{at}/moderate/3")
        moderator.post(f"{at}/moderate/3", {"csrf": moderator.csrf, "seen": "0", "duplicate": "0"})
        assert moderator.status == 409 and "Reject as a duplicate" not in moderator.get(f"{at}/moderate/3").text

    def test_what_is_skipped_comes_again_at_the_end(self, app: Starlette, at: str, moderator: Visitor) -> None:
        writer = participant_in(app, at)
        for text in ("Ask before you act.", "Explain the law.", "Never flatter."):
            writer.get(f"{at}/write")
            writer.send("/write", text=text)
        moderator.get(f"{at}/moderate")
        assert "Ask" in moderator.heading
        moderator.get(f"{at}/moderate?after=3")
        moderator.send("/moderate/4", decision="accept")
        assert "Never" in moderator.heading, "on from where one was"
        moderator.send("/moderate/5", decision="accept")
        assert "Ask" in moderator.heading
        for odd in ("x", "-1", "9" * 30, "٣"):
            moderator.get(f"{at}/moderate?after={odd}")
            assert moderator.status == 200 and "Ask" in moderator.heading

    def test_where_statements_lie_is_worked_out_once_for_all_decisions(
        self, app: Starlette, at: str, moderator: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Anew for one that was written since, and when others were and some time has passed."""
        writer, made = participant_in(app, at), []
        monkeypatch.setattr(alike, "vectors_of", lambda texts: made.append(len(texts)) or vectors_of(texts))

        def write(text: str) -> None:
            writer.get(f"{at}/write")
            writer.send("/write", text=text, anyway="yes")

        write("Ask before you act.")
        write("An assistant should say if it is not sure")
        made.clear()
        moderator.get(f"{at}/moderate")
        moderator.send("/moderate/3", REJECTION)
        assert made == [5] and SEEDS[0] in moderator.page.text, "a decision changes nothing"
        write("Explain the law.")
        made.clear()
        moderator.get(f"{at}/moderate/4")
        assert made == []
        moderator.get(f"{at}/moderate/5")
        assert made == [6]
        monkeypatch.setattr(alike, "REST", 0.0)
        write("Never flatter.")
        made.clear()
        moderator.get(f"{at}/moderate/4")
        assert made == [7]
        other = member_of(app, owner_of(app), "Omar", second_owner=True)
        other.get(f"{at}/moderate/3")
        beside = next(one for one in other.page.all("section") if one.attributes.get("aria-labelledby") == "alike")
        assert "No other statement" in beside.text


class TestWho:
    def test_only_moderators_of_this_conversation(
        self, app: Starlette, at: str, owner: Visitor, author: Visitor, moderator: Visitor, stranger: Visitor
    ) -> None:
        elsewhere = moderator_in(app, conversation_in(owner), owner, "Omar")
        stranger.get(at)
        for visitor in (author, stranger, elsewhere):
            for path in (f"{at}/moderate", f"{at}/moderate/3", f"{at}/statements", f"{at}/decisions.csv"):
                visitor.get(path)
                assert visitor.status == 403 and "shoes" not in visitor.response.text, path
            visitor.post(
                f"{at}/moderate/3", {"csrf": token(app, visitor), "decision": "accept", "reason": "x", "seen": "0"}
            )
            assert visitor.status == 403
            visitor.post(
                f"{at}/moderate/3/rewrite", {"csrf": token(app, visitor), "text": "y", "why": "x", "seen": "0"}
            )
            assert visitor.status == 403
        assert statement(app, 3).moderated == 0
        moderator.get(f"{at}/settings")
        assert moderator.status == 403, "who moderates does not organise"

    def test_nobody_appeals_for_another(self, app: Starlette, at: str, author: Visitor, moderator: Visitor) -> None:
        moderator.get(f"{at}/moderate")
        moderator.send("/moderate/3", REJECTION)
        other = participant_in(app, at)
        other.post(f"{at}/appeal/3", {"csrf": token(app, other), "reason": "x"})
        assert other.status == 404


class TestRemoving:
    """Somebody who floods: statements that wait, one that is accepted, votes."""

    WHY = "The same advertisement forty times."

    def number(self, app: Starlette) -> int:
        """Of whoever wrote statement 3."""
        with the_site(app).database.session(writes=False) as db:
            query = select(Participant.number).join(Statement, Statement.author_id == Participant.id)
            found = db.scalars(query).first()
        assert found is not None
        return found

    def analysed(self, app: Starlette) -> tuple[int, list[int], int]:
        """People, statements and votes."""
        found = the_site(app).live.refresh(1).conversation
        return len(found.participants), [one.id for one in found.statements], int(found.seen_PS.sum())

    @pytest.fixture
    def removed(self, app: Starlette, at: str, author: Visitor, moderator: Visitor) -> Visitor:
        """The author, one of whose statements was accepted and voted on by somebody else."""
        moderator.get(f"{at}/moderate")
        moderator.send("/moderate/3", decision="accept")
        author.get(f"{at}/write")
        author.send("/write", text="Visit us in Mill Lane.")
        author.get(f"{at}/vote")
        author.send("/vote", vote="disagree")
        other = participant_in(app, at)
        while "voted on everything" not in other.heading:
            other.send("/vote", vote="agree")
        assert self.analysed(app) == (2, [0, 1, 2, 3, 4], 7)
        moderator.get(f"{at}/moderate")
        moderator.get(f"{at}/people/{self.number(app)}")
        assert "Visit us in Mill Lane." in moderator.page.text and "3 votes" in moderator.page.text
        moderator.send("/remove", reason=self.WHY)
        return author

    def test_nothing_of_theirs_counts_and_nothing_of_them_is_lost(
        self, app: Starlette, at: str, owner: Visitor, moderator: Visitor, removed: Visitor, stranger: Visitor
    ) -> None:
        assert self.analysed(app) == (1, [0, 1, 2], 3)
        assert "1 person, 3 statements and 3 votes" in stranger.get(at).text
        moderator.get(f"{at}/moderate")
        assert moderator.heading == "Nothing waits for you.", "what waited of theirs does not"
        for version in ("public", "organiser"):
            archive = zipfile.ZipFile(io.BytesIO(owner.client.get(f"{at}/export/{version}").content))
            assert not [one for one in archive.namelist() if re.search(b"shoes|Mill Lane", archive.read(one))], version
        newcomer = participant_in(app, at)
        for _ in range(3):
            assert not re.search("shoes|Mill Lane", newcomer.heading)
            newcomer.send("/vote", vote="pass")
        assert "voted on everything" in newcomer.heading
        moderator.get(f"{at}/people/{self.number(app)}")
        moderator.send("/let-in", reason="It was a mistake.")
        assert self.analysed(app) == (3, [0, 1, 2, 3, 4], 10)
        removed.get(f"{at}/write")
        assert removed.status == 200 and "Visit us in Mill Lane." in removed.page.text

    def test_they_read_why_and_can_do_nothing_but_leave(
        self, app: Starlette, at: str, removed: Visitor, tmp_path: Path
    ) -> None:
        for path in ("vote", "write", "votes"):
            removed.get(f"{at}/{path}")
            assert removed.status == 403 and removed.heading == "You were removed from this conversation"
        removed.post(f"{at}/write", {"csrf": token(app, removed), "text": "Buy!"})
        assert removed.status == 403
        for path in ("questions", "join"):
            removed.get(f"{at}/{path}")
            assert removed.status == 200 and self.WHY in removed.page.text
        removed.get(f"{at}/leave")
        removed.send("/leave", how="delete", keep="yes")
        assert removed.heading == "Everything that you gave is deleted."
        held = b"".join(one.read_bytes() for one in (tmp_path / "site").glob("site.sqlite*"))
        assert b"in Mill Lane" not in held, "nothing stays that nobody can see"

    def test_everybody_may_know_that_it_was_done_and_why(
        self, app: Starlette, at: str, removed: Visitor, stranger: Visitor
    ) -> None:
        stranger.get(f"{at}/removed")
        assert "1 person was removed" in stranger.page.text and "shoes" not in stranger.page.text
        assert stranger.page.all("table")[-1].rows[1][:2] == [self.WHY, "3 votes and 2 statements"]
        assert str(self.number(app)) not in stranger.response.text

    def test_a_statement_that_is_on_its_way_is_not_taken(
        self, app: Starlette, at: str, author: Visitor, moderator: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever is removed while likeness is looked for."""
        moderator.get(f"{at}/people/{self.number(app)}")
        monkeypatch.setattr(
            "solon.web.collect.writing.similar", lambda *_: moderator.send("/remove", reason="Enough.") and []
        )
        author.send("/write", text="One more.")
        assert author.status == 403 and moderator.status == 200
        with the_site(app).database.session(writes=False) as db:
            assert "One more." not in [one.text for one in db.scalars(select(Statement))]

    def test_a_reason_every_time_and_one_decision_at_a_time(
        self, app: Starlette, at: str, owner: Visitor, removed: Visitor, moderator: Visitor
    ) -> None:
        number = self.number(app)
        moderator.send("/let-in", reason=" ")
        assert moderator.status == 422 and self.analysed(app)[0] == 1
        moderator.post(f"{at}/people/{number}/remove", {"csrf": token(app, moderator), "reason": "Again."})
        assert moderator.status == 409
        moderator.get(f"{at}/people")
        assert [str(number), "2", "3", "removed"] in moderator.page.all("table")[0].rows
        for change in (update(Removal).values(reason="another"), delete(Removal)):
            with the_site(app).database.session(writes=True) as db, pytest.raises(DatabaseError, match="append-only"):
                db.execute(change)

    def test_by_moderators_of_this_conversation_alone(
        self, app: Starlette, at: str, owner: Visitor, author: Visitor, stranger: Visitor
    ) -> None:
        number, other = self.number(app), conversation_in(owner)
        elsewhere = moderator_in(app, other, owner, "Omar")
        stranger.get(at)
        for visitor in (author, stranger, elsewhere):
            for path in (f"{at}/people", f"{at}/people/{number}"):
                visitor.get(path)
                assert (
                    visitor.status == 403 and str(number) not in visitor.page.text and "shoes" not in visitor.page.text
                )
            for what in ("remove", "let-in"):
                visitor.post(f"{at}/people/{number}/{what}", {"csrf": token(app, visitor), "reason": "x"})
                assert visitor.status == 403
        elsewhere.get(f"{other}/people/{number}")
        assert elsewhere.status == 404, "nobody of another conversation"
        assert self.analysed(app)[0] == 1


class TestWhatIsKnown:
    def test_everybody_sees_why_and_not_what(
        self, app: Starlette, at: str, author: Visitor, moderator: Visitor, stranger: Visitor
    ) -> None:
        moderator.get(f"{at}/moderate")
        moderator.send("/moderate/3", REJECTION)
        stranger.get(f"{at}/removed")
        assert "1 statement was removed" in stranger.page.text and "Buy my shoes" not in stranger.page.text
        rows = stranger.page.all("table")[0].rows
        assert rows[1][:3] == ["3", "It advertises something.", "It sells shoes. A second look is under way."]
        assert "It insults or threatens somebody." in stranger.page.text, "criteria are published"

    def test_a_spreadsheet_runs_nothing(self, app: Starlette, at: str, moderator: Visitor) -> None:
        writer = participant_in(app, at)
        writer.get(f"{at}/write")
        writer.send("/write", text=FORMULA)
        moderator.get(f"{at}/moderate")
        moderator.send("/moderate/3", REJECTION | {"against": "@SUM(1+1)"})
        moderator.get(f"{at}/decisions.csv")
        headers = moderator.response.headers
        assert headers["content-disposition"] == 'attachment; filename="decisions.csv"'
        cells = next(csv.DictReader(io.StringIO(moderator.response.text)))
        assert cells["text"] == "'" + FORMULA and cells["reason"] == "'@SUM(1+1)"

    def test_decisions_cannot_be_changed(self, app: Starlette, at: str, author: Visitor, moderator: Visitor) -> None:
        moderator.get(f"{at}/moderate")
        moderator.send("/moderate/3", decision="accept")
        for change in (update(Decision).values(reason="another"), delete(Decision)):
            with the_site(app).database.session(writes=True) as db, pytest.raises(DatabaseError, match="append-only"):
                db.execute(change)

    @pytest.mark.parametrize("keep", ["", "yes"])
    def test_whoever_leaves_takes_along_why_they_asked_for_another_look(
        self, app: Starlette, at: str, owner: Visitor, author: Visitor, moderator: Visitor, tmp_path: Path, keep: str
    ) -> None:
        for visitor in (moderator, moderator_in(app, at, owner, "Omar")):
            visitor.get(f"{at}/moderate")
            visitor.send("/moderate/3", REJECTION)
        author.get(f"{at}/write")
        author.send("/appeal/3", reason="I am the baker's daughter.")
        moderator.get(f"{at}/moderate")
        assert "baker" in moderator.page.text
        moderator.get(f"{at}/decisions.csv")
        assert "baker" in moderator.response.text
        author.get(f"{at}/leave")
        author.send("/leave", how="delete", keep=keep)
        moderator.get(f"{at}/decisions.csv")
        assert "baker" not in moderator.response.text and "appeal" in moderator.response.text
        held = b"".join(one.read_bytes() for one in (tmp_path / "site").glob("site.sqlite*"))
        assert b"the baker's daughter" not in held

    def test_whoever_leaves_takes_their_statement_out_of_the_queue(
        self, app: Starlette, at: str, author: Visitor, moderator: Visitor
    ) -> None:
        author.get(f"{at}/leave")
        author.send("/leave", how="delete")
        assert author.heading == "Everything that you gave is deleted."
        moderator.get(f"{at}/moderate")
        assert moderator.heading == "Nothing waits for you."
        moderator.get(f"{at}/moderate/3")
        assert moderator.status == 404
