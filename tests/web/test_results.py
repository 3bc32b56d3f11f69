"""The analysis while people vote: the same as of the files that the site exports, and of nobody's single votes."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from report.riverside import riverside
from solon.collective.csv_text import FORMULA_STARTS
from solon.collective.opinion.analysis import analyse
from solon.collective.opinion.counts import labels_of
from solon.collective.opinion.grouping import find_groups
from solon.collective.opinion.results import Analysis
from solon.collective.people.population import read_population
from solon.collective.people.sample import read_attributes
from solon.collective.reading.folder import open_conversation, write_import
from solon.report.public.page import report_policy
from solon.web.db import people, statements, votes
from solon.web.db.tables import Conversation, Stage, State
from web.test_voting import POPULATION
from web.visitor import Visitor, conversation_in, member_of, owner_of, participant_in, site_in, the_site

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?")
FORMULA = "=1+1 is what a machine should say."
TOLERANCE = 1e-12


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> tuple[Starlette, Visitor, str]:
    return town_in(site_in(tmp_path_factory.mktemp("town")))


def town_in(app: Starlette, voters: int = 60) -> tuple[Starlette, Visitor, str]:
    """Riverside's votes cast on a site, some of them changed, taken back or withdrawn; the conversation's address."""
    owner = owner_of(app)
    at = conversation_in(owner, ["A seed."])
    with the_site(app).database.session(writes=True) as db:
        _cast(db, db.scalars(select(Conversation)).one(), voters)
        db.commit()
    return app, owner, at


def test_no_cell_of_any_table_is_a_formula(app: Starlette, owner: Visitor) -> None:
    """Not of the texts of participants, nor of what organisers and members write, headers included."""
    attacks = [f"{sign}SUM(1,{nth})" for nth, sign in enumerate("=+-@＝＋－＠")]
    population = f"""
[attributes."{attacks[0]}"]
question = "Which?"
shares = {{ "{attacks[1]}" = 50, b = 50 }}
[[screening]]
column = "{attacks[2]}"
accepted = ["{attacks[3]}"]
other = ["no"]
"""
    owner.get("/team")
    settings = {"topic": attacks[4], "organiser": attacks[5], "description": attacks[6], "criteria": attacks[7]}
    at = conversation_in(owner, attacks, population=population, votes_before_writing="0", second_look="", **settings)
    voter = participant_in(app, at)
    voter.send("/questions", q0=attacks[3], q1=attacks[1])
    voter.send("/vote", vote="disagree")
    for text in ("=2+5 is seven", "-3 is a formula"):
        voter.get(f"{at}/write")
        voter.send("/write", text=text, anyway="yes")
    moderator = member_of(app, owner, "=Ines", second_owner=True)
    moderator.get(f"{at}/moderate")
    moderator.send("/moderate/8", decision="reject", criterion=attacks[7], against="@why")
    moderator.get(f"{at}/moderate")
    moderator.send("/rewrite", text="+4 is none", why="=because")
    tables = {"decisions.csv": owner.client.get(f"{at}/decisions.csv").text}
    for version in ("public", "organiser"):
        with zipfile.ZipFile(io.BytesIO(owner.client.get(f"{at}/export/{version}").content)) as archive:
            names = [one for one in archive.namelist() if one.endswith(".csv")]
            tables |= {f"{version}/{one}": archive.read(one).decode() for one in names}
    assert len(tables) > 8 and "organiser/people.csv" in tables
    cells = {(name, cell) for name, text in tables.items() for row in csv.reader(io.StringIO(text)) for cell in row}
    bad = [one for one in cells if one[1][:1] in FORMULA_STARTS and one[1] and not NUMBER.fullmatch(one[1])]
    assert bad == []
    there = {cell for _, cell in cells}
    written = [
        *attacks[:6],
        attacks[7],
        "=2+5 is seven",
        "-3 is a formula",
        "@why",
        "+4 is none",
        "=because",
        "=Ines (2)",
    ]
    assert {f"'{one}" for one in written} - there == set(), "all of them are there, as text"
    assert {cell for name, cell in cells if name.endswith("people.csv")} >= {f"'{one}" for one in attacks[:4]}


def _cast(db, talk: Conversation, voters: int) -> None:  # type: ignore[no-untyped-def]
    made = riverside().conversation
    made = made.select(participants=np.arange(len(made.participants)) < voters)
    said = [statements.add_statement(db, talk, one.text, moderated=one.moderated) for one in made.statements]
    rows = []
    for nth in range(len(made.participants)):
        people.join(db, talk, f"browser {nth}", Stage.IN)
        rows.append(people.participant_of(db, talk, f"browser {nth}"))
    for nth, (row, column) in enumerate(np.argwhere(made.seen_PS).tolist()):
        vote = int(made.votes_PS[row, column])
        if nth % 7 == 0:  # voted otherwise first, at nearly the same moment
            votes.cast(db, rows[row], said[column], -vote, f"{nth} first")
        if nth % 11 == 0:
            votes.cast(db, rows[row], said[column], None, f"{nth} back")
        votes.cast(db, rows[row], said[column], vote, f"{nth}")
    extra = statements.add_statement(db, talk, FORMULA, author=rows[0], moderated=-1)
    votes.cast(db, rows[0], extra, 1, "author")
    votes.cast(db, rows[1], extra, 1, "in vain")
    votes.cast(db, rows[1], extra, None, "in vain, back")
    gone = statements.add_statement(db, talk, "I am off.", author=rows[2], moderated=1)
    votes.cast(db, rows[1], gone, -1, "gone")
    people.forget(db, rows[2], keep_statements=False)


def exported(town: tuple[Starlette, Visitor, str], version: str, folder: Path) -> Path:
    _, owner, at = town
    answer = owner.client.get(f"{at}/export/{version}")
    assert answer.status_code == 200 and answer.headers["content-disposition"].endswith(f'-{version}.zip"')
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(folder)
    return folder


def comments(folder: Path) -> list[dict[str, str]]:
    with (folder / "comments.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def live(town: tuple[Starlette, Visitor, str]) -> Analysis:
    app = town[0]
    found = the_site(app).live.refresh(1).analysis
    assert found is not None
    return found


def apart(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    return float(np.abs(one - other).max())


def test_the_site_and_its_export_give_the_same_analysis(town: tuple[Starlette, Visitor, str], tmp_path: Path) -> None:
    """Through the archive and `solon collect import`, nothing moves by 1e-12."""
    here = live(town)
    imported = open_conversation(exported(town, "organiser", tmp_path / "export"))
    odd = [one.what for one in imported.findings if one.severity != "note"]
    assert [one for one in odd if not one.startswith("author-id is empty")] == [], "organisers' statements have none"
    write_import(imported, tmp_path / "imported")
    talk = open_conversation(tmp_path / "imported").conversation
    there = analyse(talk, groups=find_groups(talk, counted=False))

    assert talk.participants == here.conversation.participants
    assert [one.model_dump(exclude={"importance_votes"}) for one in talk.statements] == [
        one.model_dump(exclude={"importance_votes"}) for one in here.conversation.statements
    ]
    assert (talk.votes_PS == here.conversation.votes_PS).all() and (talk.seen_PS == here.conversation.seen_PS).all()
    assert talk.strict_moderation is here.conversation.strict_moderation is True
    assert here.groups.k >= 2 and there.groups.names == here.groups.names
    assert (labels_of(talk, there.groups) == labels_of(here.conversation, here.groups)).all()
    for name in ("consensus_S", "disagreement_S", "extremity_S", "priority_S", "polarization_S"):
        assert apart(getattr(there, name), getattr(here, name)) <= TOLERANCE, name
    for name in ("components_2S", "center_S", "participants_P2", "statements_S2", "variance_2"):
        assert apart(getattr(there.projection, name), getattr(here.projection, name)) <= TOLERANCE, name
    assert there.representative == here.representative and there.majority == here.majority


def test_the_version_to_publish_gives_the_same_and_names_nobody(
    town: tuple[Starlette, Visitor, str], tmp_path: Path
) -> None:
    here = live(town)
    talk = open_conversation(exported(town, "public", tmp_path)).conversation
    there = analyse(talk, groups=find_groups(talk, counted=False))
    assert sorted(there.groups.sizes) == sorted(here.groups.sizes)
    for name in ("consensus_S", "extremity_S", "priority_S", "polarization_S"):
        assert apart(getattr(there, name), getattr(here, name)) <= TOLERANCE, name
    assert talk.participant_ids.tolist() == list(range(len(talk.participants))), "new ids, not those of the site"
    assert {one.author for one in talk.statements} == {None}


def test_a_spreadsheet_runs_nothing_of_the_export(town: tuple[Starlette, Visitor, str], tmp_path: Path) -> None:
    rows = comments(exported(town, "organiser", tmp_path))
    texts = [row["comment-body"] for row in rows]
    assert "'" + FORMULA in texts and "I am off." not in texts


def test_only_accepted_statements_are_published_word_for_word(
    town: tuple[Starlette, Visitor, str], tmp_path: Path
) -> None:
    """As the consent page promises; the votes on the others stay."""
    public, whole = (exported(town, version, tmp_path / version) for version in ("public", "organiser"))
    states = {row["moderated"] for row in comments(whole)}
    assert states >= {"1", "-1"}
    for row, known in zip(comments(public), comments(whole), strict=True):
        assert row["comment-id"] == known["comment-id"]
        assert row["comment-body"] == (known["comment-body"] if known["moderated"] == "1" else "")
    rejected = next(row["comment-id"] for row in comments(whole) if FORMULA in row["comment-body"])
    assert next(row["agrees"] for row in comments(public) if row["comment-id"] == rejected) == "1", "the votes stay"
    assert not any(b"machine should say" in one.read_bytes() for one in public.iterdir())


@pytest.mark.parametrize("strict", [True, False])
def test_what_is_published_is_what_people_agree_to(
    app: Starlette, owner: Visitor, tmp_path: Path, strict: bool
) -> None:
    """Where people see statements at once, those that nobody decided on are published, too, and they are told so."""
    at = conversation_in(owner, votes_before_writing="1", strict="yes" if strict else "")
    visitor = Visitor(app)
    visitor.get(f"{at}/join")
    assert ("accepted statements word for word" in visitor.page.text) is strict
    assert ("statements word for word, unless they are rejected" in visitor.page.text) is not strict
    visitor.send("/join", consent="yes")
    visitor.send("/vote", vote="agree")
    visitor.get(f"{at}/write")
    visitor.send("/write", text="Say it twice.")
    words = [row["comment-body"] for row in comments(exported((app, owner, at), "public", tmp_path))]
    assert words[3:] == ([""] if strict else ["Say it twice."]) and all(words[:3])


def test_the_same_conversation_gives_the_same_archive(town: tuple[Starlette, Visitor, str]) -> None:
    _, owner, at = town
    first, second = (owner.client.get(f"{at}/export/organiser").content for _ in range(2))
    assert first == second


def test_pages_of_results(town: tuple[Starlette, Visitor, str]) -> None:
    app, _, at = town
    visitor = Visitor(app)
    page = visitor.get(f"{at}/results")
    assert visitor.status == 200 and page.all("svg")
    table = next(one for one in page.all("table") if one.attributes.get("id") or "map as a table" in one.text)
    assert "Group A" in table.text and "The statements that divide most" in page.text
    visitor.get(f"{at}/report")
    assert visitor.status == 200 and "Who took part" in visitor.page.text
    policy = visitor.response.headers["content-security-policy"]
    assert policy.startswith(report_policy()) and "unsafe" not in policy
    german = Visitor(app, language="de")
    assert (
        "Gruppe A" in german.get(f"{at}/results").text
        and german.get(f"{at}/report").all("html")[0].attributes["lang"] == "de"
    )


def test_who_sees_results_is_for_the_organiser_to_say(app: Starlette, owner: Visitor, stranger: Visitor) -> None:
    at = conversation_in(owner, results="participants")
    voter = participant_in(app, at)
    voter.send("/vote", vote="agree")
    the_site(app).live.refresh(1)
    for path in ("results", "report"):
        stranger.get(f"{at}/{path}")
        assert stranger.status == 403 and "not public yet" in stranger.heading
        assert voter.get(f"{at}/{path}") and voter.status == 200
    owner.get(f"{at}/settings")
    owner.send("/settings", results="team")
    for path in ("results", "report"):
        assert voter.get(f"{at}/{path}") and voter.status == 403
        assert owner.get(f"{at}/{path}") and owner.status == 200
    owner.get(f"{at}/manage")
    owner.send("/state", state=State.CLOSED)
    assert stranger.get(f"{at}/report") and stranger.status == 200
    for path in ("public", "organiser", "everything"):
        for visitor in (stranger, voter):
            visitor.get(f"{at}/export/{path}")
            assert visitor.status == 403
    assert owner.get(f"{at}/export/everything") and owner.status == 404


def test_before_anybody_has_voted(app: Starlette, owner: Visitor, stranger: Visitor) -> None:
    at = conversation_in(owner)
    assert "Nobody has voted so far." in stranger.get(f"{at}/results").text
    assert stranger.get(f"{at}/report") and stranger.status == 404


def test_one_persons_votes_are_not_shown(app: Starlette, owner: Visitor, stranger: Visitor) -> None:
    """Numbers below ten are withheld, also while they grow."""
    at = conversation_in(owner)
    for _ in range(2):
        voter = participant_in(app, at)
        for _ in range(3):
            voter.send("/vote", vote="agree")
    the_site(app).live.refresh(1)
    report = stranger.get(f"{at}/report")
    table = next(one.rows for one in report.all("table") if one.rows[0] == ["Statement", "Votes", "Agree"])
    assert ["1 Be kind.", "–", "–"] in table
    assert "% agree" not in report.text and "% agree" not in stranger.get(f"{at}/results").text


def test_what_people_said_of_themselves_goes_with_the_organisers_export(
    app: Starlette, owner: Visitor, tmp_path: Path
) -> None:
    at = conversation_in(owner, population=POPULATION)
    voter = participant_in(app, at)
    voter.send("/questions", q0="yes", q1="young")
    voter.send("/vote", vote="agree")
    folder = exported((app, owner, at), "organiser", tmp_path)
    talk = open_conversation(folder).conversation
    sample = read_attributes(folder / "people.csv", read_population(POPULATION, Path("p")), talk)
    assert sample.participant_ids.tolist() == talk.participant_ids.tolist() and sample.categories == {"age": ("young",)}
    assert not (exported((app, owner, at), "public", tmp_path / "public") / "people.csv").exists()
    the_site(app).live.refresh(1)
    text = Visitor(app).get(f"{at}/report").text
    assert "Against who was meant to take part" in text and "This was not measured" not in text
