"""What became of a conversation: published by its organiser alone, of what may be shown now, exact and associated told
apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update
from starlette.applications import Starlette

from report.public_page import Element
from report.sample import sample_data
from report.test_data import write_run
from solon.constitution.load import load_constitution
from solon.constitution.principles import Constitution
from solon.web.db import people
from solon.web.db.tables import Audited, Conversation, Participant, PrinciplesDraft, Results, Statement
from web.test_arena_people import arena_for
from web.test_importing import draft, files_of, packed, send
from web.test_votes_to_principles import RIVERSIDE, file_of, one
from web.visitor import Visitor, conversation_in, member_of, owner_of, participant_in, site_in, the_site, token

ODD = "<img src=x onerror=alert(1)>"
WITHHELD = "Its words are those of a statement that may not be shown, or not any more."


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Starlette, Visitor, str, Path]]:
    """The example town, imported and over, with a folder of runs."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "runs").mkdir()
    app = site_in(folder / "site", runs=folder / "runs")
    owner = owner_of(app)
    at = _town(owner, "closed")
    yield app, owner, at, folder / "runs"


@pytest.fixture
def town(closed: tuple[Starlette, Visitor, str, Path]) -> tuple[Starlette, Visitor, str, Path]:
    """Nothing decided or published yet."""
    with the_site(closed[0]).database.session(writes=True) as db:
        for row in db.scalars(select(PrinciplesDraft)):
            db.delete(row)
        db.commit()
    return closed


def _town(owner: Visitor, state: str) -> str:
    at = draft(owner)
    send(owner, at, [("export.zip", packed(files_of(RIVERSIDE)))])
    owner.send("take-over")
    owner.send("/state", state=state)
    return at


def publish(owner: Visitor, at: str, wanted: str = "yes") -> None:
    owner.get(f"{at}/principles")
    owner.send("/principles/publish", publish=wanted)
    assert owner.status == 200 and owner.heading == "Principles", owner.page.text


def principles(page: Element) -> list[Element]:
    found = next(one for one in page.all("ol") if one.attributes.get("class") == "principles")
    return [one for one in found.children if isinstance(one, Element) and one.tag == "li"]


def test_nothing_before_an_organiser_publishes_and_nothing_after_it_is_taken_back(
    town: tuple[Starlette, Visitor, str, Path],
) -> None:
    app, owner, at, _ = town
    moderator = member_of(app, owner, "Omar")
    owner.get(f"{at}/manage")
    owner.send("/roles", role="moderator")
    stranger = Visitor(app)
    stranger.get(at)
    for visitor in (stranger, moderator):
        visitor.post(f"{at}/principles/publish", {"csrf": token(app, visitor), "seen": "0", "publish": "yes"})
        assert visitor.status == 403
    for visitor in (stranger, moderator, owner):
        visitor.get(f"{at}/became")
        assert visitor.status == 404 and visitor.heading == "Nothing is published yet"
    assert "What became of it" not in stranger.get(f"{at}/results").text
    publish(owner, at)
    links = [str(one.attributes["href"]) for one in stranger.get(f"{at}/results").all("a")]
    assert f"{at}/became" in links
    assert stranger.get(f"{at}/became") and stranger.status == 200 and stranger.heading == "What became of it"
    publish(owner, at, "no")
    assert stranger.get(f"{at}/became") and stranger.status == 404
    with the_site(app).database.session(writes=False) as db:
        rows = db.scalars(select(Audited.action).order_by(Audited.id.desc()).limit(2)).all()
    assert rows == ["principles: take back", "principles: publish"]


def test_only_for_whoever_may_see_the_results(app: Starlette, owner: Visitor) -> None:
    at = _town(owner, "open")
    publish(owner, at)
    _set(app, at, results=Results.TEAM)
    stranger = Visitor(app)
    assert stranger.get(f"{at}/became") and stranger.status == 403 and "agree" not in stranger.page.text
    assert owner.get(f"{at}/became") and owner.status == 200


def _now(app: Starlette) -> None:
    """The only conversation, as its votes are now."""
    with the_site(app).database.session(writes=False) as db:
        talk = db.scalars(select(Conversation.id)).one()
    the_site(app).live.refresh(talk)


def _set(app: Starlette, at: str, **values: object) -> None:
    with the_site(app).database.session(writes=True) as db:
        db.execute(update(Conversation).where(Conversation.slug == at.rpartition("/")[2]).values(**values))
        db.commit()


def test_each_principle_with_its_statements_as_the_results_have_them(
    town: tuple[Starlette, Visitor, str, Path],
) -> None:
    app, owner, at, _ = town
    publish(owner, at)
    stranger = Visitor(app)
    on_results = _tallies(stranger.get(f"{at}/results"))
    page = stranger.get(f"{at}/became")
    here = _tallies(page)
    both = here.keys() & on_results.keys()
    assert both and all(here[name] == on_results[name] for name in both)
    assert any(row[0].startswith("Group") for row in here[min(both)]), "by group"
    made = _constitution(owner, at, Path(str(the_site(app).settings.folder)))
    shown = principles(page)
    assert [one.all("p")[0].text for one in shown] == [one.title for one in made.principles]
    assert made.sha256 in [one.text for one in page.all("code")] and f"{made.name}.toml" in page.text


def _tallies(page: Element) -> dict[str, list[list[str]]]:
    """By caption."""
    tables = [one for one in page.all("table") if one.attributes.get("class") == "tally"]
    return {one.all("caption")[0].text: one.rows for one in tables}


def _constitution(owner: Visitor, at: str, folder: Path) -> Constitution:
    """As it is downloaded."""
    path = folder / f"principles-{at.rpartition('/')[2]}.toml"
    path.write_text(file_of(owner, at, "constitution.toml"))
    return load_constitution(str(path))


def test_small_numbers_are_withheld(app: Starlette, owner: Visitor) -> None:
    at = conversation_in(owner)
    for _ in range(8):
        voter = participant_in(app, at)
        for _ in range(3):
            voter.send("/vote", vote="agree")
    _now(app)
    owner.get(f"{at}/principles")
    owner.send("/principles/rule", threshold="0.5", minimum_votes="1")
    publish(owner, at)
    page = Visitor(app).get(f"{at}/became")
    assert len(principles(page)) == 3
    for name, rows in _tallies(page).items():
        assert {row[1] for row in rows[1:]} == {"Withheld, to protect a small number"}, name
    assert "agreement on average" not in page.text


def test_what_its_author_deletes_is_gone_at_once(app: Starlette, owner: Visitor) -> None:
    at = _town(owner, "open")
    publish(owner, at)
    stranger = Visitor(app)
    first = principles(stranger.get(f"{at}/became"))[0]
    number = int(first.all("caption")[0].text.rpartition(" ")[2])
    participant_in(app, at)
    with the_site(app).database.session(writes=True) as db:
        statement = db.scalars(select(Statement).where(Statement.number == number)).one()
        author = db.scalars(select(Participant).where(Participant.browser.is_not(None))).one()
        statement.author_id, text = author.id, statement.text
        db.commit()
        assert text in stranger.get(f"{at}/became").text
        people.forget(db, author, keep_statements=False)
        db.commit()
    page = stranger.get(f"{at}/became")
    assert text not in page.text and WITHHELD in page.text, "while the numbers are older"
    _now(app)
    page = stranger.get(f"{at}/became")
    assert stranger.status == 200 and text not in page.text and WITHHELD not in page.text


def test_a_statement_that_is_rejected_now_is_not_shown(app: Starlette, owner: Visitor) -> None:
    at = _town(owner, "open")
    publish(owner, at)
    stranger = Visitor(app)
    first = principles(stranger.get(f"{at}/became"))[0]
    number = int(first.all("caption")[0].text.rpartition(" ")[2])
    one(owner, at, number, "word", words="Somebody else found these words.")
    with the_site(app).database.session(writes=True) as db:
        statement = db.scalars(select(Statement).where(Statement.number == number)).one()
        statement.moderated, text = -1, statement.text
        db.commit()
    page = stranger.get(f"{at}/became")
    assert text not in page.text and "Somebody else" not in page.text and WITHHELD in page.text


def test_exact_and_association_are_told_apart(town: tuple[Starlette, Visitor, str, Path]) -> None:
    app, owner, at, runs = town
    publish(owner, at)
    made = _constitution(owner, at, runs.parent)
    first, second, *_ = made.principles
    other = first.model_copy(update={"comparison_question": "Which answer is better?"})
    foreign = second.model_copy(update={"title": "The statement of this number in another conversation"})
    data = sample_data(1)
    write_run(runs / "same", replace(data, constitution=made))
    write_run(runs / "reworded", replace(data, constitution=made.model_copy(update={"principles": (other, foreign)})))
    write_run(runs / "foreign", replace(data, constitution=made.model_copy(update={"principles": (foreign,)})))
    write_run(runs / "untrained", replace(data, constitution=made))
    (runs / "untrained/models/rl/manifest.json").unlink()
    write_run(runs / "broken", data)
    (runs / "broken/constitution.json").write_text("{")
    write_run(runs / ODD, replace(data, constitution=made))
    stranger = Visitor(app)
    page = stranger.get(f"{at}/became")
    told = [[item.text for each in one.all("ul")[:1] for item in each.all("li")] for one in principles(page)]
    assert told[0] == [f"exact {ODD}", "association only reworded", "exact same"]
    assert told[1:] == [[f"exact {ODD}", "exact same"]] * (len(made.principles) - 1)
    assert (
        "is this very file" in page.text and "nobody can say" in page.text and "1 run could not be read." in page.text
    )
    assert not page.all("img"), "names of runs are untrusted"
    for visitor, linked in ((stranger, False), (owner, True)):
        links = [str(one.attributes["href"]) for one in visitor.get(f"{at}/became").all("a")]
        assert any(one.startswith("/runs/same") for one in links) == linked
    one(owner, at, int(second.id.rpartition("-")[2]), "leave out", note="It changes the file.")
    page = stranger.get(f"{at}/became")
    assert "association only same" in page.text and "exact same" not in page.text


def test_words_of_people_are_text(app: Starlette, owner: Visitor) -> None:
    at = _town(owner, "open")
    with the_site(app).database.session(writes=True) as db:
        statement = db.scalars(select(Statement).where(Statement.text.contains("respect, even when"))).one()
        statement.text, number = f"It is kind {ODD}", statement.number
        db.commit()
    publish(owner, at)
    one(owner, at, number, "word", words=f"Kinder {ODD}")
    page = Visitor(app).get(f"{at}/became")
    assert "Kinder ‹img" in page.text and f"It is kind {ODD}" in page.text and not page.all("img")


def test_arenas_of_these_people_whose_results_one_may_see(town: tuple[Starlette, Visitor, str, Path]) -> None:
    app, owner, at, _ = town
    publish(owner, at)
    arena, waiting = arena_for(owner, at), arena_for(owner, at)
    _set(app, arena, results=Results.EVERYBODY)
    _set(app, waiting, results=Results.EVERYBODY, state="draft")
    stranger = Visitor(app)

    def ratings(visitor: Visitor) -> set[str]:
        links = {str(one.attributes["href"]) for one in visitor.get(f"{at}/became").all("a")}
        return {one for one in links if one.endswith("/ratings")}

    assert ratings(stranger) == {f"{arena}/ratings"} and stranger.get(f"{arena}/ratings") and stranger.status == 200
    _set(app, arena, results=Results.TEAM)
    assert ratings(stranger) == set() and ratings(owner) == {f"{arena}/ratings"}


def test_where_the_rule_chooses_nothing_nothing_is_published(town: tuple[Starlette, Visitor, str, Path]) -> None:
    app, owner, at, _ = town
    publish(owner, at)
    owner.get(f"{at}/principles")
    owner.send("/principles/rule", threshold="1")
    stranger = Visitor(app)
    assert stranger.get(f"{at}/became") and stranger.status == 404
    publish(owner, at, "no")
    seen = {str(one.attributes.get("name")): str(one.attributes.get("value")) for one in owner.page.all("input")}
    owner.post(f"{at}/principles/publish", {"csrf": owner.csrf, "seen": seen["seen"], "publish": "yes"})
    assert owner.status == 409 and owner.heading == "There are no principles yet"
