"""A Polis export brought into a draft: what is read, what is refused, and that nothing is lost on the way."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette

from needs import REFERENCE_DATA
from polis_exports import AUTHOR, TEXT, TOPIC, clojure, essence, latest, logged, replace_in, server_csv, server_json
from solon.collective.conversation import Conversation as Talk
from solon.collective.opinion.analysis import analyse
from solon.collective.opinion.grouping import find_groups
from solon.collective.reading.folder import open_conversation
from solon.web.collect import importing, unpacking
from solon.web.db.tables import Audited, Base, Conversation, Decision, Participant, Staged, Standing, Statement, Vote
from solon.web.forms import MOST_UPLOADED
from web.visitor import BASE, Visitor, conversation_in, member_of, participant_in, site_in, the_site, token

File = tuple[str, bytes]


@pytest.fixture
def polis(tmp_path: Path) -> Path:
    """A folder for an export."""
    return tmp_path / "polis"


def draft(owner: Visitor, topic: str = "Typed here") -> str:
    """The address of a new draft, before its page for an export."""
    owner.get("/begin")
    owner.send("/begin", topic=topic, **{"with": "export"})
    assert owner.heading == "Bring an export in"
    return owner.at.removeprefix(BASE).removesuffix("/import")


def files_of(folder: Path) -> list[File]:
    return [(one.name, one.read_bytes()) for one in sorted(folder.iterdir())]


def packed(files: list[File]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return data.getvalue()


def send(visitor: Visitor, at: str, files: list[File], *, csrf: str | None = None, sign: str = "") -> None:
    """The form of the page, as a browser sends it."""
    fields = {"csrf": visitor.csrf if csrf is None else csrf, "sign": sign}
    parts = [("files", one) for one in files]
    visitor._look(visitor.client.post(f"{at}/import", data=fields, files=parts))


def kept(app: Starlette, *tables: type) -> list[int]:
    with the_site(app).database.session(writes=False) as db:
        return [db.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def disk(folder: Path) -> bytes:
    """All files of the site in it."""
    return b"".join(one.read_bytes() for one in (folder / "site").iterdir())


def everything(app: Starlette) -> str:
    """All that the database holds."""
    with the_site(app).database.session(writes=False) as db:
        return repr([db.execute(select(table)).all() for table in Base.metadata.sorted_tables])


def site_talk(app: Starlette) -> Talk:
    return the_site(app).live.refresh(1).conversation


class TestWhatIsTakenOver:
    @pytest.mark.parametrize("layout", [clojure, server_csv, server_json])
    @pytest.mark.parametrize("as_archive", [True, False], ids=["zip", "files"])
    def test_every_layout(self, app: Starlette, owner: Visitor, polis: Path, layout, as_archive: bool) -> None:  # type: ignore[no-untyped-def]
        folder = layout(polis / "export")
        files = files_of(folder)
        at = draft(owner)
        send(
            owner,
            at,
            [("export.zip", packed(files))] if as_archive else files,
            sign="agree=-1" * (layout is server_json),
        )
        assert owner.heading == "What was read", owner.page.text
        facts = {one.all("dt")[0].text: one.all("dd")[0].text for one in owner.page.all("dl")[0].all("div")}
        assert facts["Statements"] == "7" and facts["People who voted"] == "6"
        assert facts["Moderated"] == "5 accepted, 1 rejected, 1 not decided yet"
        assert facts["Languages"].startswith("English: ")
        assert kept(app, Statement, Vote, Staged) == [0, 0, 1], "nothing before somebody says so"
        owner.send("take-over")
        assert owner.heading == "Manage" and TOPIC in owner.page.text and kept(app, Staged) == [0]
        there = open_conversation(folder, vote_sign=-1 if layout is server_json else None).conversation
        here = site_talk(app)
        assert essence(here) == essence(there) and logged(here) == logged(there)
        with the_site(app).database.session(writes=False) as db:
            query = select(Participant.number, Statement.number, Standing.vote)
            query = query.where(Participant.id == Standing.participant_id, Statement.id == Standing.statement_id)
            rows = db.execute(query).all()
        assert {(person, statement): vote for person, statement, vote in rows} == latest()

    def test_a_table_of_votes_without_their_times(self, app: Starlette, owner: Visitor, polis: Path) -> None:
        at = draft(owner)
        send(owner, at, files_of(clojure(polis, votes=False)))
        assert "The times of 36 votes : the export does not tell it" in owner.page.text
        owner.send("take-over", words="")
        here, there = site_talk(app), open_conversation(polis).conversation
        assert here.log is there.log is None and essence(here)["votes"] == essence(there)["votes"]
        assert "Typed here" in owner.page.text and TOPIC not in owner.page.text, "its own topic stays"
        owner.get(f"{at}/moderate/{next(iter(TEXT))}")
        assert owner.status == 200 and "1970" not in owner.page.text

    def test_votes_that_only_the_table_has(self, app: Starlette, owner: Visitor, polis: Path) -> None:
        """Counted, and without a time; the others keep theirs."""
        lines = (clojure(polis) / "votes.csv").read_text().splitlines()
        (polis / "votes.csv").write_text("\n".join([*lines[:-3], ""]))
        at = draft(owner)
        send(owner, at, files_of(polis))
        assert "The times of 3 votes" in owner.page.text
        owner.send("take-over")
        here, there = site_talk(app), open_conversation(polis).conversation
        assert essence(here) == essence(there) and logged(here) == logged(there)

    def test_what_is_left_out_is_said(self, app: Starlette, owner: Visitor, polis: Path) -> None:
        files = files_of(clojure(polis, xid=True))
        at = draft(owner)
        send(owner, at, [("e.zip", packed([*files, ("notes/../read me.doc", b"secret"), (".DS_Store", b"x")]))])
        text = owner.page.text
        for told in (
            "read me.doc",
            ".DS_Store",
            "6 ids of elsewhere : this site keeps nobody",
            "The groups of 5 people",
        ):
            assert told in text, told
        owner.send("take-over")
        kept_now = everything(app)
        assert "panel-" not in kept_now and "secret" not in kept_now and "More benches" in kept_now

    def test_who_and_why_of_what_was_rejected_before(
        self, app: Starlette, owner: Visitor, stranger: Visitor, polis: Path
    ) -> None:
        at = draft(owner)
        send(owner, at, files_of(clojure(polis)))
        owner.send("take-over")
        with the_site(app).database.session(writes=False) as db:
            (decision,) = db.scalars(select(Decision))
            assert (decision.action, decision.reason) == ("reject", "It was rejected before the import.")
            (logged,) = db.scalars(select(Audited).where(Audited.action == "export imported"))
            assert logged.detail["statements"] == len(TEXT) and logged.detail["votes"] == 36
            people = {one.number for one in db.scalars(select(Participant))}
            assert people >= set(AUTHOR.values()) and not any(one.browser for one in db.scalars(select(Participant)))
        owner.get(f"{at}/manage")
        owner.send("/state", state="open")
        assert "It was rejected before the import." in stranger.get(f"{at}/removed").text
        voter = participant_in(app, at)
        voter.send("/vote", vote="agree")
        assert voter.status == 200 and site_talk(app).seen_PS.sum() == 37, "people go on where others ended"

    def test_through_the_site_and_out_again(self, app: Starlette, owner: Visitor, polis: Path) -> None:
        """The organiser's export of one conversation is the import of the next."""
        at = draft(owner)
        send(owner, at, files_of(clojure(polis / "first")))
        owner.send("take-over")
        archive = owner.client.get(f"{at}/export/organiser").content
        again = draft(owner)
        send(owner, again, [("x.zip", archive)])
        owner.send("take-over")
        first, second = (the_site(app).live.refresh(number).conversation for number in (1, 2))
        assert essence(first) == essence(second) and logged(first) == logged(second)

    def test_a_draft_with_votes_may_be_closed_at_once(self, owner: Visitor, polis: Path) -> None:
        at = draft(owner)
        owner.get(f"{at}/manage")
        assert "Close it" not in owner.page.text
        owner.get(f"{at}/import")
        send(owner, at, files_of(clojure(polis)))
        owner.send("take-over")
        assert "Close it" in owner.page.text


@pytest.mark.skipif(REFERENCE_DATA.place is None, reason=REFERENCE_DATA.reason)
@pytest.mark.parametrize("name", ["polis/bg2050-volunteers", "polis/scoop-hivemind.biodiversity"])
def test_open_conversations_are_analysed_as_their_files_are(tmp_path: Path, name: str) -> None:
    from web.visitor import owner_of

    assert REFERENCE_DATA.place is not None
    folder, app = REFERENCE_DATA.place / name, site_in(tmp_path)
    owner = owner_of(app)
    at = draft(owner)
    send(owner, at, [("export.zip", packed(files_of(folder)))])
    owner.send("take-over")
    here, talk = the_site(app).live.refresh(1).analysis, open_conversation(folder).conversation
    there = analyse(talk, groups=find_groups(talk, counted=False))
    assert here is not None and talk.participant_ids.tolist() == here.conversation.participant_ids.tolist()
    assert (here.conversation.votes_PS == talk.votes_PS).all() and (here.conversation.seen_PS == talk.seen_PS).all()
    assert here.groups.labels_G.tolist() == there.groups.labels_G.tolist()
    for one in ("consensus_S", "disagreement_S", "extremity_S", "priority_S", "polarization_S"):
        assert np.abs(getattr(here, one) - getattr(there, one)).max() <= 1e-12, one
    for one in ("components_2S", "participants_P2", "statements_S2", "variance_2"):
        assert np.abs(getattr(here.projection, one) - getattr(there.projection, one)).max() <= 1e-12, one
    assert here.representative == there.representative and here.majority == there.majority


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("files", "told"),
        [
            ([], "no file was chosen"),
            ([("a.zip", b"PK\x03\x04 and no more")], "a.zip the archive cannot be unpacked: File is not a zip file"),
            ([("a.zip", packed([(f"{n}.txt", b"") for n in range(300)]))], "the archive holds 300 files"),
            (
                [("a.zip", packed([("a/comments.csv", b"x"), ("b/comments.csv", b"y")]))],
                "two files are called comments.csv",
            ),
            ([("comments.csv", b"comment-id\n")], "the export no votes: neither votes.csv nor participants-votes.csv"),
            ([("a.zip", packed([("x.doc", b"")]))], "no comments.csv or comments.json"),
            ([("comments.json", b"[" * 100_000), ("votes.json", b"[]")], "comments.json broken JSON"),
            ([("comments.csv", b"a"), ("votes.csv", b"\xff\xfe\0")], "votes.csv the file is UTF-16"),
        ],
    )
    def test_hostile_and_broken_files(self, app: Starlette, owner: Visitor, files: list[File], told: str) -> None:
        at = draft(owner)
        send(owner, at, files)
        assert owner.status in (400, 422), owner.page.text
        assert told in owner.page.text or owner.heading == "The form could not be read"
        assert kept(app, Statement, Staged) == [0, 0]

    def test_faults_name_file_and_line_and_no_place_of_the_server(
        self, owner: Visitor, app: Starlette, polis: Path
    ) -> None:
        replace_in(clojure(polis) / "votes.csv", ",1\n", ",7\n")
        at = draft(owner)
        send(owner, at, files_of(polis), sign="agree=+1")
        assert owner.status == 422 and "votes.csv:3 vote is not 1, 0 or -1: '7'" in owner.page.text
        assert "/tmp" not in owner.page.text and kept(app, Statement, Staged) == [0, 0]
        chosen = [one for one in owner.page.all("input") if one.attributes.get("value") == "agree=+1"]
        assert "checked" in chosen[0].attributes, "what was chosen stays"

    def test_what_unpacks_to_more_than_there_is_room_for(self, owner: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
        """A bomb: a thousand times its size, which its directory may deny."""
        bomb = packed([("comments.csv", b"0" * 10**7), ("votes.csv", b"0")])
        assert len(bomb) < 20_000
        monkeypatch.setattr(unpacking, "MOST_UNPACKED", 10**6)
        at = draft(owner)
        for archive in (bomb, bomb.replace((10**7).to_bytes(4, "little"), (10).to_bytes(4, "little"))):
            send(owner, at, [("bomb.zip", archive)])
            assert owner.status == 422 and kept(owner.app, Staged) == [0]
        send(owner, at, [("bomb.zip", bomb)])
        assert "bomb.zip unpacked, the files have more than" in owner.page.text

    def test_a_directory_without_end_is_not_even_read(self, owner: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
        at = draft(owner)
        monkeypatch.setattr(unpacking.zipfile, "ZipFile", lambda *_: 1 / 0)
        send(owner, at, [("bomb.zip", b"PK\x03\x04" + unpacking.ENTRY * 10_000)])
        assert owner.status == 422 and "at most 200 can be looked at" in owner.page.text

    def test_more_people_times_statements_than_fit(
        self, owner: Visitor, polis: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(unpacking, "MOST_CELLS", 41)
        at = draft(owner)
        send(owner, at, files_of(clojure(polis)))
        assert "6 participants times 7 statements; at most 41 can be read here" in owner.page.text

    def test_a_body_without_end(self, owner: Visitor) -> None:
        at = draft(owner)
        read = 0

        def drops():  # type: ignore[no-untyped-def]
            nonlocal read
            yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="votes.csv"\r\n\r\n'
            for _ in range(1000):
                read += 1
                yield b"1,2,3\n" * 20_000

        kind = {"content-type": "multipart/form-data; boundary=x"}
        answer = owner.client.post(f"{at}/import", content=drops(), headers=kind)
        assert answer.status_code == 413 and "Files may have 64 MB together" in answer.text
        answer = owner.client.post(
            f"{at}/import", content=b"", headers={**kind, "content-length": str(MOST_UPLOADED + 1)}
        )
        assert answer.status_code == 413

    def test_of_strangers_not_even_the_body_is_read(
        self, app: Starlette, owner: Visitor, stranger: Visitor, monkeypatch: pytest.MonkeyPatch, polis: Path
    ) -> None:
        at = draft(owner)
        moderator = member_of(app, owner, "Omar")
        monkeypatch.setattr("solon.web.routing.read_files", lambda request: 1 / 0)
        for visitor, status in ((stranger, 403), (moderator, 404)):
            send(visitor, at, files_of(clojure(polis)), csrf="x")
            assert visitor.status == status
        monkeypatch.undo()
        send(owner, at, files_of(polis), csrf="0" * 64)
        assert owner.status == 403 and kept(app, Staged) == [0]

    def test_not_into_a_conversation_that_has_begun(self, app: Starlette, owner: Visitor, polis: Path) -> None:
        at = conversation_in(owner)
        owner.get(f"{at}/import")
        assert owner.status == 409 and "empty draft" in owner.heading
        send(owner, at, files_of(clojure(polis)), csrf=token(app, owner))
        assert owner.status == 409 and kept(app, Statement) == [3]

    def test_only_what_was_looked_at_is_taken_over(self, app: Starlette, owner: Visitor, polis: Path) -> None:
        at = draft(owner)
        send(owner, at, files_of(clojure(polis / "a")))
        seen = owner.form("take-over")
        owner.get(f"{at}/import")
        owner.send("discard")
        assert owner.heading == "Bring an export in" and kept(app, Staged) == [0]
        send(owner, at, files_of(clojure(polis / "b", votes=False)))
        owner.post(
            f"{at}/import/take-over", {"csrf": owner.csrf, "seen": str(seen.all("input")[1].attributes["value"])}
        )
        assert owner.status == 409 and kept(app, Statement, Staged) == [0, 1]

    def test_of_the_archive_nothing_stays_on_the_disk(
        self, app: Starlette, owner: Visitor, polis: Path, tmp_path: Path
    ) -> None:
        """It may hold ids of elsewhere, which the site keeps of nobody."""
        at = draft(owner)
        archive = packed([*files_of(clojure(polis)), ("zebulon.txt", b"")])
        for button in ("take-over", "discard"):
            send(owner, at, [("export.zip", archive)])
            assert b"zebulon.txt" in disk(tmp_path)
            owner.send(button)
            assert owner.status == 200 and b"zebulon.txt" not in disk(tmp_path), button
            at = draft(owner)

    def test_all_of_it_or_nothing(
        self, app: Starlette, owner: Visitor, polis: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at = draft(owner)
        send(owner, at, files_of(clojure(polis)))

        def fails(*_: object) -> None:
            raise RuntimeError("killed")

        monkeypatch.setattr(importing.imports, "unstage", fails)
        with pytest.raises(RuntimeError, match="killed"):
            owner.send("take-over")
        assert kept(app, Statement, Vote, Participant, Decision, Staged) == [0, 0, 0, 0, 1]
        monkeypatch.undo()
        owner.get(f"{at}/import")
        owner.send("take-over")
        assert kept(app, Statement, Conversation) == [7, 1]

    def test_statements_that_are_formulas_or_markup_stay_text(
        self, app: Starlette, owner: Visitor, polis: Path
    ) -> None:
        at = draft(owner)
        send(owner, at, files_of(clojure(polis)))
        owner.send("take-over")
        texts = [one.text for one in site_talk(app).statements]
        assert "=SUM(1,2) is no opinion" in texts and "<b>Bold</b> plans" in texts
        archive = zipfile.ZipFile(io.BytesIO(owner.client.get(f"{at}/export/organiser").content))
        assert b"'=SUM(1,2)" in archive.read("comments.csv")
        owner.get(f"{at}/statements")
        assert not owner.page.all("b")
