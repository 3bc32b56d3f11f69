"""An arena for the people of a conversation: they come with the session that they have; results tell their groups."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import pytest
from starlette.applications import Starlette

from solon.evals.arena import OBJECTIVES
from solon.web import live
from solon.web.arena import results
from web.test_arena import both, pasted
from web.visitor import BASE, Visitor, conversation_in, member_of, participant_in, token

MODELS = ("model-zeta", "model-omega")
SEEDS = [f"Statement number {n} of three." for n in range(3)]


def arena_for(owner: Visitor, talk: str, *, state: str = "open") -> str:
    """An arena for those who take part in a conversation; its address."""
    owner.get(f"{talk}/manage")
    owner.send("/arena-for")
    at = owner.at.removeprefix(BASE).removesuffix("/arena")
    owner.send("/arena/answers", pasted=pasted(4, MODELS))
    owner.get(f"{at}/manage")
    owner.send("/state", state=state)
    assert owner.status == 200
    return at


def voters(app: Starlette, talk: str, votes: Sequence[str]) -> list[Visitor]:
    """Somebody for each of these, who votes so on every statement."""
    found = []
    for vote in votes:
        visitor = participant_in(app, talk)
        for _ in SEEDS:
            visitor.send("/vote", vote=vote)
        found.append(visitor)
    return found


def compare(judge: Visitor, talk: str, wanted: str) -> None:
    """Comes by the way that the conversation's page shows, and prefers the answers of one model."""
    judge.get(f"{talk}/vote")
    judge.get(next(str(one.attributes["href"]) for one in judge.page.all("a") if "Compare answers" in one.text))
    judge.send("/join", consent="yes")
    for _ in range(3):
        answers = [one.text for one in judge.page.all("p") if one.attributes.get("class") == "answer"]
        judge.send("/compare", both("ab"[[text.endswith(str(MODELS.index(wanted))) for text in answers].index(True)]))


@pytest.fixture
def talk(owner: Visitor) -> str:
    return conversation_in(owner, SEEDS)


class TestWhoMayCome:
    def test_who_takes_part_is_asked_and_needs_nothing_but_the_session(
        self, app: Starlette, owner: Visitor, talk: str
    ) -> None:
        (person,) = voters(app, talk, ["agree"])
        assert "compare answers" not in person.get(talk).text
        at = arena_for(owner, talk)
        for page in (talk, f"{talk}/vote"):
            assert "You are asked to compare answers" in person.get(page).text
        assert "took part in “How should it answer?”" in person.get(at).text
        assert "You are asked because you took part" in person.get(f"{at}/join").text
        person.send("/join", consent="yes")
        assert person.heading == "Two answers"

    def test_nobody_else_may(self, app: Starlette, owner: Visitor, talk: str) -> None:
        at, stranger = arena_for(owner, talk), Visitor(app)
        assert "compare answers of computer programs" not in stranger.get(talk).text
        stranger.get(f"{at}/join")
        assert stranger.status == 403 and "people of another conversation" in stranger.page.text
        stranger.post(f"{at}/join", {"csrf": token(app, stranger), "consent": "yes"})
        assert stranger.status == 403

    def test_who_has_left_may_not(self, app: Starlette, owner: Visitor, talk: str) -> None:
        at, (person,) = arena_for(owner, talk), voters(app, talk, ["agree"])
        person.get(f"{talk}/leave")
        person.send("/leave", how="stop")
        person.get(f"{at}/join")
        assert person.status == 403

    def test_an_owner_alone_begins_one_and_of_statements_alone(self, app: Starlette, owner: Visitor, talk: str) -> None:
        member = member_of(app, owner, "Ines")
        member.post(f"{talk}/arena-for", {"csrf": token(app, member)})
        assert member.status == 403
        at = arena_for(owner, talk)
        owner.post(f"{at}/arena-for", {"csrf": token(app, owner)})
        assert owner.status == 404


class TestGroups:
    @pytest.fixture
    def at(self, app: Starlette, owner: Visitor, talk: str, monkeypatch: pytest.MonkeyPatch) -> str:
        """Three who agree prefer one model, three who disagree the other; three are as many as may be told."""
        monkeypatch.setattr(results, "SUPPRESS_BELOW", 3)
        monkeypatch.setattr(live, "LEAST_SECONDS", 0.0)  # the analysis of a moment ago has not seen these votes
        people = voters(app, talk, ["agree"] * 3 + ["disagree"] * 3)
        at = arena_for(owner, talk)
        owner.get(f"{talk}/manage")
        owner.send("/state", state="closed")
        for person, wanted in zip(people, [MODELS[0]] * 3 + [MODELS[1]] * 3, strict=True):
            compare(person, talk, wanted)
        return at

    def test_each_group_has_ratings_of_its_own(self, owner: Visitor, at: str) -> None:
        page = owner.get(f"{at}/ratings")
        tables = [one.rows for one in page.all("table") if one.rows[0][0] == "Model"]
        assert len(tables) == 2 * 3
        best = [rows[1][0] for rows in tables[2:]]
        assert Counter(best) == {MODELS[0]: 2, MODELS[1]: 2} and best[0] == best[1] != best[2]
        assert {(rows[1][4], rows[1][6]) for rows in tables[2:]} == {("9", "0")}
        assert "Group A" in page.text and "Group B" in page.text

    def test_games_say_the_group_of_their_judge(self, owner: Visitor, at: str) -> None:
        owner.get(f"{at}/games/{OBJECTIVES[0]}")
        rows = [json.loads(line) for line in owner.response.text.splitlines()]
        groups = {row["judge"]: row["group"] for row in rows}
        assert Counter(groups.values()) == {0: 3, 1: 3}
        wins = Counter((row["group"], row[row["winner"]]) for row in rows)
        assert sorted(wins.values()) == [9, 9] and len({model for _, model in wins}) == 2

    def test_few_people_are_not_told_apart(self, owner: Visitor, at: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(results, "SUPPRESS_BELOW", 4)
        page = owner.get(f"{at}/ratings?checked")
        assert "Not told while fewer than 4 people" in page.text and "Group A" not in page.text
