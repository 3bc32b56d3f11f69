"""Taking part: joining, voting, changing one's mind, writing, leaving; and whoever tries more than that."""

from __future__ import annotations

import io
import threading
import zipfile
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.applications import Starlette

from solon.collective.opinion.lottery import chances, draw
from solon.web.collect.joining import population_of
from solon.web.collect.voting import VOTES
from solon.web.db.assembled import assembled
from solon.web.db.engine import BUSY_SECONDS, Database
from solon.web.db.people import take_seat
from solon.web.db.tables import Answer, Conversation, Participant, Showing, Standing, Statement, Vote
from solon.web.signing import Signer
from web.visitor import Visitor, conversation_in, filled, member_of, participant_in, the_site, token

ATTACK = '"><script>document.title = "broken"</script><img src=x onerror=alert(1)>'
POPULATION = """
participants = 3
[attributes.age]
question = "How old are you?"
shares = { young = 50, old = 50 }
[[screening]]
column = "resident"
question = "Do you live here?"
accepted = ["yes"]
other = ["no"]
"""


def rows(app: Starlette, table) -> list:  # type: ignore[no-untyped-def, type-arg]
    with the_site(app).database.session(writes=False) as db:
        return list(db.scalars(select(table)))


def count(app: Starlette, table) -> int:  # type: ignore[no-untyped-def]
    return len(rows(app, table))


def talk(app: Starlette):  # type: ignore[no-untyped-def]
    with the_site(app).database.session(writes=False) as db:
        return assembled(db, db.scalars(select(Conversation)).one())


def shown(visitor: Visitor) -> str:
    """The statement on the page."""
    return visitor.page.all("h1")[0].text


@pytest.fixture
def at(owner: Visitor) -> str:
    return conversation_in(owner, votes_before_writing="2")


@pytest.fixture
def voter(app: Starlette, at: str) -> Visitor:
    return participant_in(app, at)


class TestJoining:
    def test_nobody_takes_part_without_saying_so(self, app: Starlette, at: str) -> None:
        visitor = Visitor(app)
        visitor.get(f"{at}/vote")
        assert visitor.status == 403 and visitor.heading == "You do not take part yet"
        visitor.get(f"{at}/join")
        visitor.send("/join")
        assert visitor.status == 422 and "Tick the box" in visitor.page.text
        assert count(app, Participant) == 0

    def test_a_form_sent_twice_joins_once(self, app: Starlette, at: str) -> None:
        visitor = participant_in(app, at)
        visitor.post(f"{at}/join", {"csrf": visitor.csrf, "consent": "yes"})
        assert visitor.at.endswith("/vote") and count(app, Participant) == 1

    @pytest.mark.parametrize("invited", ["", "yes"], ids=["open", "by invitation"])
    def test_a_lost_answer_locks_nobody_out(self, app: Starlette, owner: Visitor, invited: str) -> None:
        """The same form twice with the cookie of before: a double click, or an answer that never came."""
        at = conversation_in(owner, invited=invited)
        owner.get(f"{at}/manage")
        owner.send("/invitations", count="1")
        link = owner.page.all("textarea")[0].text.removeprefix("http://127.0.0.1:8000")
        visitor = Visitor(app)
        visitor.get(link if invited else f"{at}/join")
        before = dict(visitor.client.cookies)
        fields = {"csrf": visitor.csrf, "consent": "yes", "invitation": link.rpartition("/")[2] if invited else ""}
        for _ in range(2):
            visitor.client.cookies.clear()
            visitor.client.cookies.update(before)
            visitor.post(f"{at}/join", fields)
            assert visitor.status == 200 and visitor.at.endswith("/vote")
        assert count(app, Participant) == 1

    def test_an_invitation_lets_one_person_in(self, app: Starlette, owner: Visitor, tmp_path: Path) -> None:
        at = conversation_in(owner, invited="yes")
        owner.send("/invitations", count="1")
        link = owner.page.all("textarea")[0].text.removeprefix("http://127.0.0.1:8000")
        first, second, uninvited = Visitor(app), Visitor(app), Visitor(app)
        uninvited.get(f"{at}/join")
        assert uninvited.status == 403 and "by invitation" in uninvited.heading
        for visitor in (first, second):
            visitor.get(link)
            assert visitor.status == 200
        uninvited.get(link)
        for guess in ("", "x" * 43):
            uninvited.post(f"{at}/join", {"csrf": token(app, uninvited), "consent": "yes", "invitation": guess})
            assert uninvited.status == (410 if guess else 403)
        first.send("/join", consent="yes")
        assert first.at.endswith("/vote")
        second.send("/join", consent="yes")
        assert second.status == 410 and count(app, Participant) == 1
        second.get(link)
        assert second.status == 410
        held = b"".join(one.read_bytes() for one in (tmp_path / "site").glob("site.sqlite*"))
        assert link.rpartition("/")[2].encode() not in held

    def test_guessing_invitations_ends_soon(self, stranger: Visitor) -> None:
        statuses = [stranger.client.get(f"/i/{guess:043d}").status_code for guess in range(25)]
        assert statuses == [410] * 20 + [429] * 5

    def test_a_class_opens_its_invitations_from_one_address(self, app: Starlette, owner: Visitor) -> None:
        conversation_in(owner, invited="yes")
        owner.send("/invitations", count="25")
        links = [one.removeprefix("http://127.0.0.1:8000") for one in owner.page.all("textarea")[0].text.split()]
        statuses = set()
        for link in links:
            pupil = Visitor(app)
            for _ in range(2):
                pupil.get(link)
                statuses.add(pupil.status)
            pupil.send("/join", consent="yes")
            pupil.get(link)
            assert pupil.at.endswith("/vote"), "one's own link leads back"
        assert statuses == {200}

    def test_guessing_by_forms_ends_soon_too(self, app: Starlette, owner: Visitor, stranger: Visitor) -> None:
        at = conversation_in(owner, invited="yes")
        stranger.get(at)
        fields = {"csrf": token(app, stranger), "consent": "yes"}
        for nth in range(23):
            stranger.post(f"{at}/join", fields | {"invitation": f"{nth:043d}"})
            assert stranger.status == (410 if nth < 20 else 429)

    @pytest.mark.parametrize("invited", [False, True], ids=["open", "by invitation"])
    def test_as_many_join_from_one_address_as_the_organisers_say(
        self, app: Starlette, owner: Visitor, invited: bool
    ) -> None:
        """Not counted is whoever has an invitation, nor what joins nobody; another conversation has its own count."""
        at = conversation_in(owner, newcomers="2", invited="yes" if invited else "")
        owner.get(f"{at}/manage")
        owner.send("/invitations", count="4")
        links = [one.removeprefix("http://127.0.0.1:8000") for one in owner.page.all("textarea")[0].text.split()]
        statuses = []
        for link in links:
            visitor = Visitor(app)
            visitor.get(link if invited else f"{at}/join")
            visitor.send("/join")
            visitor.send("/join", consent="yes")
            statuses.append(visitor.status)
        assert statuses == ([200] * 4 if invited else [200, 200, 429, 429])
        assert participant_in(app, conversation_in(owner)).status == 200

    def test_a_draft_is_for_those_who_run_it(self, app: Starlette, owner: Visitor, stranger: Visitor) -> None:
        owner.get("/begin")
        owner.send("/begin", topic="Later")
        at = owner.at.removeprefix("http://127.0.0.1:8000").removesuffix("/manage")
        stranger.get(at)
        assert stranger.status == 404 and owner.get(at) and owner.status == 200


class TestQuestions:
    @pytest.fixture
    def asking(self, owner: Visitor) -> str:
        return conversation_in(owner, population=POPULATION)

    def answering(self, app: Starlette, at: str, resident: str, age: str) -> Visitor:
        visitor = participant_in(app, at)
        assert visitor.heading == "About you"
        visitor.send("/questions", q0=resident, q1=age)
        return visitor

    def test_seats_fill_and_who_comes_too_late_is_told(self, app: Starlette, asking: str) -> None:
        """Of 3 people, half may be young: 2 seats."""
        came = [self.answering(app, asking, "yes", age) for age in ("young", "young", "young", "old", "old")]
        assert [one.at.endswith("/vote") for one in came] == [True, True, False, True, False]
        assert "As many people like you" in came[2].page.text
        assert [row.answer for row in rows(app, Answer)].count("young") == 2, "answers of others are not kept"
        late = came[2]
        late.get(f"{asking}/vote")
        assert late.status == 403

    def test_whoever_is_not_asked_is_told_and_forgotten(self, app: Starlette, asking: str) -> None:
        outside = self.answering(app, asking, "no", "old")
        assert "asks people of whom you are not one" in outside.page.text and count(app, Answer) == 0
        outside.post(f"{asking}/questions", {"csrf": token(app, outside), "q0": "yes", "q1": "old"})
        assert "asks people of whom" in outside.page.text, "no second try"

    def test_only_what_is_offered_can_be_answered(self, app: Starlette, asking: str) -> None:
        visitor = participant_in(app, asking)
        visitor.send("/questions", q0="yes", q1="ancient")
        assert visitor.status == 422 and "Choose an answer: How old are you?" in visitor.page.text
        assert [one.attributes["value"] for one in visitor.page.all("input") if "checked" in one.attributes] == ["yes"]
        visitor.send("/questions", q0="yes", q1="")
        assert visitor.at.endswith("/vote"), "an attribute need not be said"

    def test_a_column_is_asked_once(self, app: Starlette, owner: Visitor) -> None:
        """The same one screens, by two questions, and has quotas."""
        twice = "[attributes.region]\nshares = { north = 50, south = 50 }\n"
        twice += '[[screening]]\ncolumn = "region"\naccepted = ["north", "south"]\nother = ["abroad"]\n' * 2
        at = conversation_in(owner, population=twice)
        visitor = participant_in(app, at)
        assert len(visitor.page.all("fieldset")) == 1
        offered = [one.attributes["value"] for one in visitor.page.all("input") if one.attributes["type"] == "radio"]
        assert offered == ["north", "south", "abroad", "-"]
        visitor.send("/questions", q0="north")
        assert visitor.at.endswith("/vote") and [one.answer for one in rows(app, Answer)] == ["north"]
        visitor.send("/vote", vote="agree")
        export = owner.client.get(f"{at}/export/organiser").content
        with zipfile.ZipFile(io.BytesIO(export)) as archive:
            assert archive.read("people.csv").splitlines()[0].count(b"region") == 1

    def test_who_stands_before_questions_that_are_gone_takes_part(
        self, app: Starlette, owner: Visitor, asking: str
    ) -> None:
        waiting, answering = participant_in(app, asking), participant_in(app, asking)
        owner.get(f"{asking}/settings")
        owner.send("/settings", {**filled(owner.form("/settings")), "population": ""})
        answering.send("/questions", q0="yes", q1="young")
        waiting.get(f"{asking}/questions")
        assert [one.at.rpartition("/")[2] for one in (answering, waiting)] == ["vote", "vote"]
        assert [one.status for one in (answering, waiting)] == [200, 200]

    def test_the_last_seat_goes_to_one_of_two_who_come_at_once(self, app: Starlette, asking: str) -> None:
        for age in ("young", "old"):
            self.answering(app, asking, "yes", age)
        late = [participant_in(app, asking) for _ in range(4)]
        threads = [
            threading.Thread(target=one.send, args=("/questions",), kwargs={"q0": "yes", "q1": ""}) for one in late
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert sum(one.at.endswith("/vote") for one in late) == 1
        assert sum(row.state == "in" for row in rows(app, Participant)) == 3

    def test_a_seat_that_is_being_taken_is_not_given_away_again(self, app: Starlette, asking: str) -> None:
        """Whoever comes while another's seat is not committed yet waits until it is."""
        for age in ("young", "old"):
            self.answering(app, asking, "yes", age)
        first, second = self.two(app, asking)
        stages: list[str] = []

        def come_second() -> None:
            with the_site(app).database.session(writes=True) as db:
                stages.append(self.seat(db, second))
                db.commit()

        with the_site(app).database.session(writes=True) as db:
            stages.append(self.seat(db, first))
            late = threading.Thread(target=come_second)
            late.start()
            late.join(0.5)
            assert len(stages) == 1, "it waits"
            db.commit()
        late.join()
        assert stages == ["in", "full"]

    def two(self, app: Starlette, at: str) -> tuple[int, int]:
        """Two who stand before the questions."""
        for _ in range(2):
            participant_in(app, at)
        first, second = [one.id for one in rows(app, Participant)][-2:]
        return first, second

    def seat(self, db: Session, participant: int) -> str:
        talk, population = db.scalars(select(Conversation)).one(), population_of(POPULATION)
        assert population is not None
        answers = {"resident": "yes", "age": ""}
        return take_seat(db, talk, db.get_one(Participant, participant), population, answers)


class TestVoting:
    def test_one_after_the_other_until_all_are_voted(self, app: Starlette, voter: Visitor) -> None:
        seen = []
        for vote in ("agree", "disagree", "pass"):
            seen.append(shown(voter))
            voter.send("/vote", vote=vote)
        assert sorted(seen) == ["Be brief.", "Be honest.", "Be kind."]
        assert shown(voter) == "You have voted on everything there is so far."
        votes = dict(zip([one.text for one in talk(app).statements], talk(app).votes_PS[0].tolist(), strict=True))
        assert [votes[one] for one in seen] == [1, -1, 0]

    def test_loading_the_page_again_shows_the_same(self, app: Starlette, at: str, voter: Visitor) -> None:
        first = shown(voter)
        for _ in range(5):
            voter.get(f"{at}/vote")
            assert shown(voter) == first
        assert count(app, Showing) == 1

    def test_a_form_sent_twice_counts_once(self, app: Starlette, at: str, voter: Visitor) -> None:
        fields = {"csrf": voter.csrf, "token": hidden(voter, "token"), "vote": "agree"}
        for vote in ("agree", "agree", "disagree"):
            voter.post(f"{at}/vote", fields | {"vote": vote})
            assert voter.status == 200
        assert count(app, Vote) == count(app, Standing) == 1 and rows(app, Standing)[0].vote == 1

    def test_two_votes_at_the_same_moment_count_once(self, app: Starlette, at: str, voter: Visitor) -> None:
        fields = {"csrf": voter.csrf, "token": hidden(voter, "token")}
        copies = [Visitor(app) for _ in range(6)]
        for copy in copies:
            copy.client.cookies.update(voter.client.cookies)
        threads = [
            threading.Thread(target=copy.post, args=(f"{at}/vote", fields | {"vote": vote}))
            for copy, vote in zip(copies, ["agree", "disagree", "pass"] * 2, strict=True)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert {copy.status for copy in copies} == {200}
        assert count(app, Vote) == count(app, Standing) == 1

    def test_many_who_vote_at_once_do_not_wait_for_each_other_for_ever(self, app: Starlette, at: str) -> None:
        """Who waits for the database must not hold what whoever has it needs."""

        def take_part(done: list[str]) -> None:
            visitor = participant_in(app, at)
            for _ in range(3):
                visitor.send("/vote", vote="agree")
            done.append(shown(visitor))

        done: list[str] = []
        threads = [threading.Thread(target=take_part, args=(done,)) for _ in range(10)]
        began = monotonic()
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert done == ["You have voted on everything there is so far."] * 10 and count(app, Vote) == 30
        assert monotonic() - began < BUSY_SECONDS

    def test_what_was_not_shown_cannot_be_voted_on(self, app: Starlette, at: str, voter: Visitor) -> None:
        other = participant_in(app, at)
        theirs = hidden(other, "token")
        for token_ in (theirs, "x", ""):
            voter.post(f"{at}/vote", {"csrf": voter.csrf, "token": token_, "vote": "agree"})
            assert voter.status == 409
            voter.get(f"{at}/vote")
        voter.post(f"{at}/votes/0", {"csrf": voter.csrf, "token": "t", "vote": "agree"})
        assert voter.status == 404
        voter.get(f"{at}/vote")
        voter.send("/vote", vote="love")
        assert voter.status == 422 and count(app, Vote) == 0

    def test_a_vote_is_changed_and_taken_back(self, app: Starlette, at: str, voter: Visitor) -> None:
        first = shown(voter)
        voter.send("/vote", vote="agree")
        assert f"You agreed: {first}" in voter.page.text
        voter.send("/undo")
        assert shown(voter) == first and count(app, Standing) == 0
        voter.send("/vote", vote="disagree")
        voter.get(f"{at}/votes")
        number = next(one.number for one in rows(app, Statement) if one.text == first)
        voter.send(f"/votes/{number}", vote="pass")
        assert [one.vote for one in rows(app, Standing)] == [0]
        assert [one.vote for one in rows(app, Vote)] == [1, None, -1, 0], "every event stays"
        log = talk(app).log
        assert log is not None and log.vote.tolist() == [-1, 0], "nothing is told of what was taken back"

    def test_nobody_reads_anothers_votes(self, app: Starlette, at: str, owner: Visitor, voter: Visitor) -> None:
        voter.send("/vote", vote="agree")
        other = participant_in(app, at)
        assert "You have not voted yet." in other.get(f"{at}/votes").text
        for visitor in (owner, member_of(app, owner, "Ines"), Visitor(app)):
            visitor.get(f"{at}/votes")
            assert visitor.status == 403
        assert "You have not voted yet." in other.get(f"{at}/votes?participant=1&number=1").text

    def test_no_made_up_session_reads_anothers_votes(self, app: Starlette, at: str, voter: Visitor) -> None:
        """Forged, altered, of another site; another's name under one's own signature; a session that was taken away."""
        voter.send("/vote", vote="agree")
        assert "Be " in voter.get(f"{at}/votes").text, "their own they read"
        signed = voter.client.cookies["solon-session"]
        text, _, signature = signed.rpartition(".")
        id, _, day = text.rpartition(".")
        own = participant_in(app, at).client.cookies["solon-session"]
        flipped = ("b" if signature[0] == "a" else "a") + signature[1:]
        hashed = rows(app, Participant)[0].browser
        made_up = {
            "unsigned": text,
            "altered signature": f"{text}.{flipped}",
            "altered day": f"{id}.{int(day) + 1}.{signature}",
            "altered id": f"x{signed}",
            "another's id, one's own signature": f"{text}.{own.rpartition('.')[2]}",
            "of another site": Signer(b"k" * 32).sign(text),
            "the hash in the database": f"{hashed}.{day}.{signature}",
            "a form token as signature": f"{text}.{the_site(app).signer.form_token(text)}",
            "none": "",
        }
        for what, cookie in made_up.items():
            thief = Visitor(app)
            thief.client.cookies.set("solon-session", cookie)
            thief.get(f"{at}/votes")
            assert thief.status == 403 and "Be " not in thief.page.text, what
            assert "solon-session" in thief.response.headers["set-cookie"], what
        voter.get(f"{at}/leave")
        voter.send("/leave", how="stop")
        removed = Visitor(app)
        removed.client.cookies.set("solon-session", signed)
        removed.get(f"{at}/votes")
        assert removed.status == 403 and "Be " not in removed.page.text

    def test_nobody_votes_faster_than_people_read(self, app: Starlette, at: str, voter: Visitor) -> None:
        fields = {"csrf": voter.csrf, "token": "x", "vote": "agree"}
        statuses = [voter.client.post(f"{at}/vote", data=fields).status_code for _ in range(VOTES.times + 2)]
        assert statuses == [409] * VOTES.times + [429] * 2
        assert participant_in(app, at).status == 200, "others go on"

    def test_when_it_is_closed_nothing_is_counted(
        self, app: Starlette, at: str, owner: Visitor, voter: Visitor
    ) -> None:
        voter.send("/vote", vote="agree")
        owner.get(f"{at}/manage")
        owner.send("/state", state="closed")
        voter.send("/vote", vote="agree")
        assert voter.status == 409 and "closed" in voter.heading
        assert "closed" in voter.get(f"{at}/vote").all("h1")[0].text and not voter.page.all("button")
        voter.post(f"{at}/votes/0/undo", {"csrf": token(app, voter), "token": "t"})
        assert voter.status == 409 and count(app, Vote) == 1

    def test_statements_are_shown_word_for_word_and_never_run(self, app: Starlette, owner: Visitor) -> None:
        at = conversation_in(owner, [ATTACK])
        voter = participant_in(app, at)
        assert shown(voter) == ATTACK and "<script>document" not in voter.response.text
        assert "<img" not in voter.response.text

    def test_an_acknowledged_vote_is_committed(self, app: Starlette, voter: Visitor) -> None:
        """Whoever opens the database after the answer finds it."""
        voter.send("/vote", vote="agree")
        with Database(the_site(app).settings.database_url).session(writes=False) as db:
            assert [one.vote for one in db.scalars(select(Vote))] == [1]


class TestLottery:
    def test_chances_are_logged_and_newcomers_see_the_organisers_first(
        self, app: Starlette, owner: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(the_site(app).live, "newest", lambda _: None)  # all are new, however long this takes
        at = conversation_in(owner, ["Seed one.", "Seed two."], strict="", seeds_first="2", votes_before_writing="0")
        writer = participant_in(app, at)
        for text in ("Ask before you act.", "Explain the law.", "Never flatter."):
            writer.get(f"{at}/write")
            writer.send("/write", text=text)
        firsts = []
        for _ in range(12):
            voter = participant_in(app, at)
            firsts.append(shown(voter).startswith("Seed"))
        chances = [one.chance for one in rows(app, Showing)][-12:]
        # Of 5 alike, 2 of them first: 0.75 / 2 + 0.25 / 5, or 0.25 / 5.
        assert {round(one, 6) for one in chances if one} <= {0.425, 0.05} and sum(firsts) > 6

    def test_the_same_person_draws_the_same_again(self, app: Starlette, voter: Visitor) -> None:
        person, conversation = rows(app, Participant)[0], rows(app, Conversation)[0]
        even = chances(np.ones(3), np.array([True, True, True]))
        assert shown(voter) == ["Be honest.", "Be kind.", "Be brief."][draw(even, conversation.seed, person.number, 0)]

    def test_every_statement_reaches_its_least_number_of_views_in_every_group(
        self, app: Starlette, owner: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two camps of 15, of whom each votes on 10 of 24 statements: some 6 views of each camp for each statement. By
        lot alone, some of the 48 numbers would stay below 3. Groups are found anew after each person, however fast
        they come."""
        monkeypatch.setattr("solon.web.live.LEAST_SECONDS", 0.0)
        monkeypatch.setattr("solon.web.live.REST", 0)
        monkeypatch.setattr("secrets.randbits", lambda _: 0)  # the seed: with some, one number of 48 is 2
        live, least = the_site(app).live, 3
        texts = [f"Statement {nth} of many." for nth in range(24)]
        at = conversation_in(owner, texts, least_views=str(least), seeds_first="0")
        snapshots = [live.refresh(1)]
        monkeypatch.setattr(live, "newest", lambda _: snapshots[-1])
        for nth in range(30):
            visitor = participant_in(app, at)
            for _ in range(10):
                number = int(shown(visitor).split()[1])
                visitor.send("/vote", vote="agree" if (number + nth) % 2 else "disagree")
            snapshots.append(live.refresh(1))
        camps = {one.id: nth % 2 for nth, one in enumerate(sorted(rows(app, Participant), key=lambda one: one.id))}
        views = np.zeros((2, 24), dtype=int)
        for one in rows(app, Showing):
            views[camps[one.participant_id], one.statement_id - 1] += 1
        analysis = snapshots[-1].analysis
        assert views.min() >= least and analysis is not None and analysis.groups.k == 2, views


class TestWriting:
    def test_after_some_votes_and_before_a_moderator(self, app: Starlette, at: str, voter: Visitor) -> None:
        voter.get(f"{at}/write")
        assert "Vote on 2 more statements first." in voter.page.text and not voter.page.all("textarea")
        voter.post(f"{at}/write", {"csrf": token(app, voter), "text": "Too early."})
        assert voter.status == 422 and "Too early." in voter.page.text
        voter.get(f"{at}/vote")
        for _ in range(2):
            voter.send("/vote", vote="agree")
        voter.get(f"{at}/write")
        voter.send("/write", text="  Explain \n yourself. ")
        assert "Explain yourself." in voter.page.text and "Waits for a moderator." in voter.page.text
        voter.post(f"{at}/write", {"csrf": voter.csrf, "text": "Explain yourself."})
        assert voter.status == 200 and count(app, Statement) == 4, "sent twice, added once"
        other = participant_in(app, at)
        for _ in range(3):
            assert "Explain" not in shown(other)
            other.send("/vote", vote="agree")
        assert "voted on everything" in shown(other)
        author = talk(app)
        assert author.statements[3].text == "Explain yourself." and author.statements[3].author is not None
        assert int(author.votes_PS[:, 3].sum()) == 1, "its author agrees with it"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "Write a sentence."),
            ("?!", "Write a sentence."),
            ("x" * 401, "This is 1 character too long. At most 400 fit."),
            ("be HONEST!", "Somebody has said this already."),
        ],
    )
    def test_what_cannot_be_taken_is_kept_in_the_form(
        self, app: Starlette, at: str, voter: Visitor, text: str, message: str
    ) -> None:
        for _ in range(2):
            voter.send("/vote", vote="agree")
        voter.get(f"{at}/write")
        voter.send("/write", text=text)
        assert voter.status == 422 and message in voter.page.text
        assert "".join(map(str, voter.page.all("textarea")[0].children)) == text
        assert count(app, Statement) == 3

    def test_a_statement_sent_twice_is_one(self, app: Starlette, at: str, voter: Visitor) -> None:
        """Also at once, and word for word but for spelling."""
        for _ in range(2):
            voter.send("/vote", vote="agree")
        voter.get(f"{at}/write")
        fields = {"csrf": voter.csrf, "text": "Explain yourself."}
        twins = []
        for _ in range(4):
            twin = Visitor(app)
            twin.client.cookies.update(voter.client.cookies)
            twins.append(twin)
        threads = [threading.Thread(target=one.post, args=(f"{at}/write", fields)) for one in twins]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert [one.status for one in twins] == [200] * 4 and count(app, Statement) == 4
        assert all("Thank you." in one.page.text for one in twins)
        voter.post(f"{at}/write", fields | {"text": "explain  YOURSELF"})
        assert voter.status == 422 and "already" in voter.page.text and count(app, Statement) == 4

    def test_others_vote_while_likeness_is_looked_for(
        self, app: Starlette, at: str, voter: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(2):
            voter.send("/vote", vote="agree")
        other, voted = participant_in(app, at), []

        def looking(*_: object) -> list[Statement]:
            thread = threading.Thread(target=other.send, args=("/vote",), kwargs={"vote": "agree"})
            thread.start()
            thread.join(5)
            voted.append(not thread.is_alive())
            return []

        monkeypatch.setattr("solon.web.collect.writing.similar", looking)
        voter.get(f"{at}/write")
        voter.send("/write", text="Explain yourself.")
        assert voted == [True] and voter.status == 200 and count(app, Statement) == 4


class TestLeaving:
    def left(self, app: Starlette, at: str, voter: Visitor, **how: str) -> None:
        for _ in range(3):
            voter.send("/vote", vote="agree")
        voter.get(f"{at}/write")
        voter.send("/write", text="I live by the river.")
        voter.get(f"{at}/leave")
        voter.send("/leave", **how)
        assert voter.status == 200
        voter.get(f"{at}/votes")
        assert voter.status == 403

    def test_everything_is_deleted(self, app: Starlette, at: str, voter: Visitor, tmp_path: Path) -> None:
        """Somebody else stays, and their vote is the only one."""
        participant_in(app, at).send("/vote", vote="disagree")
        self.left(app, at, voter, how="delete")
        assert [count(app, table) for table in (Participant, Standing, Vote)] == [1, 1, 1]
        assert rows(app, Vote)[0].vote == -1 and {one.participant_id for one in rows(app, Showing)} == {2}
        assert "river" not in " ".join(one.text for one in rows(app, Statement))
        held = b"".join(one.read_bytes() for one in (tmp_path / "site").glob("site.sqlite*"))
        assert b"by the river" not in held, "it is overwritten, too"
        assert len(talk(app).statements) == 3 and len(talk(app).participants) == 1

    def test_statements_may_stay_without_an_author(self, app: Starlette, at: str, voter: Visitor) -> None:
        self.left(app, at, voter, how="delete", keep="yes")
        kept = rows(app, Statement)[3]
        assert kept.text == "I live by the river." and kept.author_id is None
        assert count(app, Vote) == 0

    def test_votes_may_stand_and_nothing_leads_to_them(self, app: Starlette, at: str, voter: Visitor) -> None:
        self.left(app, at, voter, how="stop")
        assert count(app, Vote) == 4 and [one.browser for one in rows(app, Participant)] == [None]

    def test_all_leave_at_once_each_by_two_forms(self, app: Starlette, at: str) -> None:
        """They voted on each other's statements. What another transaction takes away is no fault of theirs."""
        people = [participant_in(app, at) for _ in range(6)]
        for nth, one in enumerate(people):
            for _ in range(3):
                one.send("/vote", vote="agree")
            one.get(f"{at}/write")
            one.send("/write", text=f"I am number {nth}.")
            one.get(f"{at}/leave")
        forms = [(one, str(one.form("/leave").attributes["action"]), filled(one.form("/leave"))) for one in people]
        statuses: list[int] = []

        def leave(one: Visitor, to: str, fields: dict[str, str]) -> None:
            statuses.append(one.client.post(to, data={**fields, "how": "delete"}).status_code)

        threads = [threading.Thread(target=leave, args=form) for form in forms for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(statuses) == 12 and {200} <= set(statuses) <= {200, 403}
        assert [count(app, table) for table in (Participant, Vote, Showing)] == [0, 0, 0]

    def test_one_of_the_two_is_chosen(self, app: Starlette, at: str, voter: Visitor) -> None:
        voter.get(f"{at}/leave")
        voter.send("/leave")
        assert voter.status == 422 and "Choose one of the two." in voter.page.text and count(app, Participant) == 1


class TestRunning:
    def test_settings_are_kept_as_typed_and_faults_named(self, app: Starlette, owner: Visitor) -> None:
        at = conversation_in(owner)
        owner.get(f"{at}/settings")
        owner.send(
            "/settings", topic="", longest="5", language="klingon!", population="participants = 'x'", consent="Keep me"
        )
        assert owner.status == 422 and "Keep me" in owner.page.text
        for message in (
            "Write what it is about.",
            "Write a whole number from 20 to 1000.",
            "Write a tag",
            "population:1",
        ):
            assert message in owner.page.text
        assert rows(app, Conversation)[0].topic == "How should it answer?"

    def test_an_organiser_runs_their_conversation_and_no_other(self, app: Starlette, owner: Visitor) -> None:
        mine, other = conversation_in(owner), conversation_in(owner)
        member = member_of(app, owner, "Ines")
        owner.get(f"{mine}/manage")
        owner.send("/roles", role="moderator")
        member.get(f"{mine}/manage")
        assert member.status == 403, "a moderator is no organiser"
        owner.get(f"{mine}/manage")
        owner.send("/roles", role="organiser")
        assert member.get(f"{mine}/manage") and member.status == 200
        assert member.get(f"{other}/manage") and member.status == 403
        owner.get(f"{mine}/manage")
        owner.send("/roles", role="")
        assert member.get(f"{mine}/manage") and member.status == 403

    def test_seeds_are_added_once(self, app: Starlette, owner: Visitor) -> None:
        at = conversation_in(owner)
        owner.get(f"{at}/manage")
        owner.send("/seeds", seeds="Be kind.\n\n  Be   patient. \nBe patient.")
        assert [one.text for one in rows(app, Statement)][3:] == ["Be patient."]
        owner.send("/seeds", seeds="y" * 401)
        assert owner.status == 422 and "y" * 401 in owner.page.text and count(app, Statement) == 4

    def test_quotas_show_how_they_fill(self, app: Starlette, owner: Visitor) -> None:
        at = conversation_in(owner, population=POPULATION)
        participant_in(app, at).send("/questions", q0="yes", q1="young")
        owner.get(f"{at}/manage")
        assert ["age", "young", "1", "2"] in owner.page.all("table")[0].rows


def hidden(visitor: Visitor, name: str) -> str:
    return next(str(one.attributes["value"]) for one in visitor.page.all("input") if one.attributes.get("name") == name)
