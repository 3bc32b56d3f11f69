"""From votes to a constitution on the site: the same files as the command line's, and nobody's words changed."""

from __future__ import annotations

import io
import json
import re
import shlex
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from cli.command import done
from needs import ROOT
from report.public_page import Element
from solon.collective.principles.merges import NamedTopic
from solon.constitution.load import load_constitution
from solon.web.db import people, principles
from solon.web.db.tables import Audited, Conversation, Participant, PrinciplesDraft, Statement
from web.test_importing import draft, everything, files_of, packed, send
from web.visitor import Visitor, member_of, owner_of, participant_in, site_in, the_site, token

RIVERSIDE = ROOT / "docs/examples/riverside/export"


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Starlette, Visitor, str]]:
    """The example town, imported and over."""
    app = site_in(tmp_path_factory.mktemp("site"))
    owner = owner_of(app)
    at = draft(owner)
    send(owner, at, [("export.zip", packed(files_of(RIVERSIDE)))])
    owner.send("take-over")
    owner.send("/state", state="closed")
    yield app, owner, at


@pytest.fixture
def town(closed: tuple[Starlette, Visitor, str]) -> tuple[Visitor, str]:
    """Nothing decided yet, on the page of principles."""
    app, owner, at = closed
    with the_site(app).database.session(writes=True) as db:
        for one in db.scalars(select(PrinciplesDraft)):
            db.delete(one)
        db.commit()
    owner.get(f"{at}/principles")
    assert owner.heading == "Principles", owner.page.text
    return owner, at


def ideas(page: Element) -> list[list[str]]:
    return next(one.rows for one in page.all("table") if one.rows[0][:2] == ["Place", "Idea"])[1:]


def one(visitor: Visitor, at: str, number: int, do: str, **fields: str) -> None:
    """Press a button on the page of an idea."""
    visitor.get(f"{at}/principles/{number}")
    visitor.send(f"/principles/{number}", do=do, **fields)


def file_of(visitor: Visitor, at: str, name: str) -> str:
    answer = visitor.client.get(f"{at}/principles/files/{name}")
    assert answer.status_code == 200, answer.text
    return answer.text


def by_command(visitor: Visitor, at: str, folder: Path) -> tuple[str, str]:
    """What the command on the page writes from the organiser's export: the constitution, and its trace."""
    command = next(one.text for one in visitor.get(f"{at}/principles").all("pre"))
    archive = zipfile.ZipFile(io.BytesIO(visitor.client.get(f"{at}/export/organiser").content))
    archive.extractall(folder / "export")
    (folder / "merges.toml").write_text(file_of(visitor, at, "merges.toml"))
    _, *words = shlex.split(command)
    places = {"export": folder / "export", "merges.toml": folder / "merges.toml", words[-1]: folder / words[-1]}
    done(*(places.get(word, word) for word in words), "--no-stability")
    written = folder / words[-1]
    return written.read_text(), written.with_suffix(".trace.json").read_text()


class TestTheSameFiles:
    @pytest.mark.parametrize(
        "rule",
        [
            {},
            {"threshold": "0.7", "weighted": "yes", "title": "Riverside's rules"},
            {"ideas": "5", "minimum_votes": "3", "majority": "no", "measure": "product", "smoothing": ""},
            {"threshold": "0.55", "rejected": "yes", "include_unmoderated": "yes"},
        ],
        ids=["usual", "weighted", "a number", "rejected"],
    )
    def test_as_the_command_writes_them(self, town: tuple[Visitor, str], tmp_path: Path, rule: dict[str, str]) -> None:
        owner, at = town
        owner.send("/principles/rule", **rule)
        assert owner.heading == "Principles", owner.page.text
        constitution, trace = by_command(owner, at, tmp_path)
        assert file_of(owner, at, "constitution.toml") == constitution
        here, there = json.loads(file_of(owner, at, "trace.json")), json.loads(trace)
        assert here == there
        for key, value in rule.items():
            fields = [one for one in owner.get(f"{at}/principles").all("input") if one.attributes.get("name") == key]
            assert any(one.attributes.get("value") == value for one in fields) or not value, "the form shows the rule"

    def test_after_every_kind_of_decision(self, town: tuple[Visitor, str], tmp_path: Path) -> None:
        owner, at = town
        owner.send("/principles/look")
        owner.get(f"{at}/principles/proposals")
        pair = owner.page.all("li")
        first = next(form for form in owner.page.all("form") if str(form.attributes["action"]).endswith("/proposals"))
        owner.send("/proposals", decision="yes", words="It says when it does not know something.")
        assert pair and first and "Decided" in owner.page.text
        owner.get(f"{at}/principles")
        owner.send("/principles/rule", threshold="0.6")
        chosen = [int(row[1]) for row in _numbered(owner, at)]
        merged, others = _merged(owner, at), [one for one in chosen if one not in _merged(owner, at)]
        one(owner, at, others[0], "word", words="The assistant is brief, & says “so”.")
        one(owner, at, others[1], "leave out", note="It is about a single street.")
        one(owner, at, others[2], "merge", other=str(others[3]))
        one(owner, at, others[4], "first")
        one(owner, at, others[2], "up")
        constitution, trace = by_command(owner, at, tmp_path)
        assert file_of(owner, at, "constitution.toml") == constitution
        assert json.loads(file_of(owner, at, "trace.json")) == json.loads(trace)
        read = load_constitution(str(_saved(tmp_path, constitution)))
        made = tomllib.loads(constitution)["principle"]
        assert [one["id"] for one in made] == [one.id for one in read.principles]
        assert made[0]["id"] == f"statement-{others[4]}", "an order that somebody chose"
        by_id = {one["id"]: one for one in made}
        assert f"statement-{others[1]}" not in by_id
        assert "is brief, &" in by_id[f"statement-{others[0]}"]["critique_request"]
        assert "worded by a person" in by_id[f"statement-{others[0]}"]["source"]
        assert f"statement {others[3]} “" in by_id[f"statement-{others[2]}"]["source"], "both statements are named"
        assert any(f"statement-{number}" in by_id for number in merged)
        left = next(one for one in json.loads(trace)["statements"] if one["id"] == others[1])
        assert left["left_out"] == {"code": "left-out-by-person", "detail": "It is about a single street."}


def _saved(folder: Path, text: str) -> Path:
    path = folder / "saved.toml"
    path.write_text(text)
    return path


def _numbered(visitor: Visitor, at: str) -> list[list[str]]:
    """Place and number of every chosen idea, in order."""
    page = visitor.get(f"{at}/principles?show=chosen")
    table = next(one for one in page.all("table") if one.rows[0][:2] == ["Place", "Idea"])
    links = [str(one.attributes["href"]).rpartition("/")[2] for one in table.all("a")]
    return [[row[0], number] for row, number in zip(table.rows[1:], links, strict=True)]


def _merged(visitor: Visitor, at: str) -> list[int]:
    page = visitor.get(f"{at}/principles?show=merged")
    table = next(one for one in page.all("table") if one.rows[0][:2] == ["Place", "Idea"])
    return [int(str(one.attributes["href"]).rpartition("/")[2]) for one in table.all("a")]


class TestThePage:
    def test_sorted_and_filtered(self, town: tuple[Visitor, str]) -> None:
        owner, at = town
        everything = ideas(owner.page)
        by_votes = [int(row[-2]) for row in ideas(owner.get(f"{at}/principles?sort=votes"))]
        assert by_votes == sorted(by_votes, reverse=True) and len(by_votes) == len(everything) > 20
        consensus = [row[2] for row in ideas(owner.get(f"{at}/principles?sort=consensus"))]
        assert consensus == sorted(consensus, reverse=True)
        numbers = [row[0] for row in ideas(owner.get(f"{at}/principles?show=chosen"))]
        assert numbers == [str(place) for place in range(1, len(numbers) + 1)] and numbers
        others = ideas(owner.get(f"{at}/principles?show=others"))
        assert len(others) + len(numbers) == len(everything) and all(row[-1] for row in others), "each has a reason"
        some = ideas(owner.get(f"{at}/principles?words=ASSISTANT+SHOULD"))
        assert 0 < len(some) < len(everything) + 1 and all("assistant should" in row[1].lower() for row in some)
        assert owner.get(f"{at}/principles?sort=x&show=y&words=%00%3Cb%3E") and owner.status == 200

    def test_reasons_call_groups_as_the_tables_do(self, town: tuple[Visitor, str]) -> None:
        owner, _ = town
        table = next(one for one in owner.page.all("table") if one.rows[0][:2] == ["Place", "Idea"])
        said = {f"Group {one}" for row in table.rows for one in re.findall(r"group (\w+)", row[-1])}
        assert said and said <= set(table.rows[0]), "by the names above the columns"
        number = next(number for number, row in enumerate(table.rows) if "group" in row[-1])
        owner.get(str(table.all("a")[number - 1].attributes["href"]))
        groups = next(one for one in owner.page.all("table") if one.rows[0][0] == "Group")
        why = next(
            one.text for one in owner.page.all("p") if "group" in one.text and one.attributes.get("dir") == "ltr"
        )
        assert {f"Group {one}" for one in re.findall(r"group (\w+)", why)} <= {row[0] for row in groups.rows}

    def test_the_numbers_are_those_of_the_files(self, town: tuple[Visitor, str]) -> None:
        owner, at = town
        trace = json.loads(file_of(owner, at, "trace.json"))
        known = {one["text"]: one["figures"] for one in trace["statements"]}
        for row in ideas(owner.page):
            figures = known[row[1].strip('“”"')]
            assert row[2] == f"{figures['geometric_mean']:.3f}" and row[3] == f"{figures['product']:.3f}"
            assert row[4 : 4 + len(figures["groups"])] == [f"{g['agrees']} of {g['votes']}" for g in figures["groups"]]

    def test_a_statement_left_out_is_taken_in_again(self, town: tuple[Visitor, str]) -> None:
        owner, at = town
        number = int(_numbered(owner, at)[0][1])
        one(owner, at, number, "leave out", note="=HYPERLINK(1) <b>no</b>")
        page = owner.page
        assert owner.heading == "Principles" and owner.get(f"{at}/principles/{number}") and owner.status == 404
        assert "=HYPERLINK(1) <b>no</b>" in page.text and not page.all("b")
        owner.get(f"{at}/principles")
        owner.send("/take-in")
        assert int(_numbered(owner, at)[0][1]) == number

    def test_apart_again(self, town: tuple[Visitor, str]) -> None:
        owner, at = town
        first, second = (int(row[1]) for row in _numbered(owner, at)[:2])
        before = file_of(owner, at, "constitution.toml")
        one(owner, at, first, "merge", other=str(second))
        made = [one["id"] for one in tomllib.loads(file_of(owner, at, "constitution.toml"))["principle"]]
        assert f"statement-{first}" in made and f"statement-{second}" not in made
        owner.send(f"/principles/{first}", do="split")
        after = file_of(owner, at, "constitution.toml")
        assert tomllib.loads(after)["principle"] == tomllib.loads(before)["principle"]

    def test_what_is_wrong_is_said_and_nothing_kept(self, town: tuple[Visitor, str], closed) -> None:  # type: ignore[no-untyped-def]
        owner, at = town
        owner.send("/principles/rule", threshold="1.5", title="Kept while typing")
        assert owner.status == 422 and "Write a consensus from 0 to 1" in owner.page.text
        assert "1.5" in [str(one.attributes.get("value")) for one in owner.page.all("input")]
        number = int(_numbered(owner, at)[0][1])
        for fields, status in (({"other": str(number)}, 422), ({"other": "99999"}, 404), ({"other": "x"}, 404)):
            one(owner, at, number, "merge", **fields)
            assert owner.status == status
        one(owner, at, number, "word", words="word " * 200)
        assert owner.status == 422 and "more than the 80" in owner.page.text and "word word" in owner.page.text
        with the_site(closed[0]).database.session(writes=False) as db:
            assert db.scalars(select(PrinciplesDraft)).all() == []


def test_nobody_undoes_what_somebody_else_decided_meanwhile(town: tuple[Visitor, str]) -> None:
    owner, at = town
    number = int(_numbered(owner, at)[0][1])
    owner.get(f"{at}/principles/{number}")
    old = owner.form(f"/principles/{number}", {"words": ""})
    one(owner, at, number, "word", words="First come.")
    fields = {str(one.attributes["name"]): str(one.attributes.get("value") or "") for one in old.all("input")}
    owner.post(f"{at}/principles/{number}", {**fields, "do": "word", "words": "Second come."})
    assert owner.status == 409 and "First come." in owner.get(f"{at}/principles").text


def test_every_decision_is_logged_without_anybodys_words(town: tuple[Visitor, str], closed) -> None:  # type: ignore[no-untyped-def]
    owner, at = town
    number = int(_numbered(owner, at)[0][1])
    one(owner, at, number, "word", words="Quite other words.")
    file_of(owner, at, "constitution.toml")
    with the_site(closed[0]).database.session(writes=False) as db:
        rows = db.scalars(select(Audited).order_by(Audited.id.desc()).limit(2)).all()
        assert [row.action for row in rows] == ["principles: file", "principles: word"]
        assert rows[1].detail["statement"] == number and "Quite" not in json.dumps(rows[1].detail)


def test_it_is_for_organisers(closed: tuple[Starlette, Visitor, str]) -> None:
    app, owner, at = closed
    moderator = member_of(app, owner, "Omar")
    owner.get(f"{at}/manage")
    owner.send("/roles", role="moderator")
    stranger = Visitor(app)
    stranger.get(at)
    for visitor in (stranger, moderator):
        for path in ("", "/proposals", "/1", "/files/constitution.toml"):
            assert visitor.get(f"{at}/principles{path}") and visitor.status == 403, path
        for path in ("/rule", "/look", "/1", "/proposals", "/1/take-in"):
            visitor.post(f"{at}/principles{path}", {"csrf": token(app, visitor), "seen": "0"})
            assert visitor.status == 403, path


def test_whoever_deletes_their_statement_takes_it_out_of_the_decisions_too(
    app: Starlette, owner: Visitor, tmp_path: Path
) -> None:
    at = draft(owner)
    send(owner, at, files_of(RIVERSIDE))
    owner.send("take-over")
    owner.send("/state", state="open")
    voter = participant_in(app, at)
    for _ in range(10):
        voter.send("/vote", vote="agree")
    voter.get(f"{at}/write")
    voter.send("/write", text="I, Zebulon, want the assistant to whisper.", anyway="yes")
    with the_site(app).database.session(writes=True) as db:
        talk = db.scalars(select(Conversation)).one()
        mine = db.scalars(select(Statement).order_by(Statement.number.desc())).first()
        assert mine is not None and "Zebulon" in mine.text
        mine.moderated = 1
        db.commit()
    the_site(app).live.refresh(talk.id)
    one(owner, at, mine.number, "word", words="Zebulon is heard.")
    assert owner.status == 200
    with the_site(app).database.session(writes=True) as db:
        me = db.scalars(select(Participant).where(Participant.browser.is_not(None))).one()
        decided = principles.draft_of(db, talk)
        topic = NamedTopic(name="whisper, Zebulon", statements=(0, mine.number))
        decided = replace(decided, merges=decided.merges.model_copy(update={"topic": (topic,)}))
        principles.keep(db, talk, decided)
        people.forget(db, me, keep_statements=False)
        db.commit()
        forgotten = principles.draft_of(db, talk)
        assert forgotten.merges.wording == () and [one.name for one in forgotten.merges.topic] == ["other"]
        principles.keep(db, talk, replace(decided, version=forgotten.version))
        db.commit()  # as of a page whose numbers are older
    assert "Zebulon" not in everything(app)
    assert owner.get(f"{at}/principles") and owner.status == 200, "also while the numbers still have it"


def test_before_anybody_has_voted(owner: Visitor) -> None:
    at = draft(owner)
    assert "Nobody has voted so far." in owner.get(f"{at}/principles").text
    assert owner.get(f"{at}/principles/proposals") and owner.status == 404
