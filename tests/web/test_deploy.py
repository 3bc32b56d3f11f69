"""Running a site: what watches it, copies of it, what is deleted in time, and the files that start it."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from starlette.applications import Starlette
from typer.testing import CliRunner

from needs import ROOT
from solon.cli.main import app as solon
from solon.collective.conversation import NO_TIME
from solon.web.db.arena_tables import ArenaVote
from solon.web.db.members import DAY, HOUR, SIGNED_IN
from solon.web.db.tables import (
    Answer,
    Audited,
    Base,
    Conversation,
    EntryLink,
    Invitation,
    Participant,
    SignIn,
    Staged,
    Vote,
)
from solon.web.forms import MOST_BYTES, MOST_UPLOADED
from solon.web.settings import Settings
from web.test_arena import arena_in, both, pasted
from web.test_importing import draft, files_of, send
from web.test_voting import POPULATION
from web.town_site import RIVERSIDE
from web.visitor import Visitor, conversation_in, participant_in, site_in, the_site

DEPLOY = ROOT / "deploy"


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(solon, [str(one) for one in arguments])
    return done.exit_code, done.output


def options_of_serve() -> set[str]:
    return set(re.findall(r"--[a-z]+", run("serve", "--help")[1]))


class TestHealth:
    def test_it_says_that_the_site_lives_and_nothing_else(self, stranger: Visitor) -> None:
        stranger.get("/health")
        assert (stranger.status, stranger.response.text) == (200, "ok\n")
        assert "set-cookie" not in stranger.response.headers

    def test_it_says_when_the_database_is_gone(self, app: Starlette, stranger: Visitor, tmp_path: Path) -> None:
        the_site(app).database.close()
        for path in (tmp_path / "site").glob("site.sqlite*"):
            path.unlink()
        stranger.get("/health")
        assert (stranger.status, stranger.response.text) == (503, "no database\n")


class TestCopies:
    @pytest.fixture
    def copy(self, tmp_path: Path) -> Path:
        return tmp_path / "monday.sqlite"

    def test_a_copy_of_a_site_that_runs_is_the_site(
        self, app: Starlette, owner: Visitor, tmp_path: Path, copy: Path
    ) -> None:
        """What was acknowledged is in it, what was not is not; whoever took part finds their votes in what it makes."""
        at = conversation_in(owner)
        voter = participant_in(app, at)
        voter.send("/vote", vote="agree")
        with the_site(app).database.session(writes=True) as db:
            db.execute(update(Vote).values(vote=-1))
            assert run("site", "backup", copy, "--folder", tmp_path / "site")[0] == 0
        assert [one.stat().st_mode & 0o777 for one in tmp_path.glob("monday*")] == [0o600, 0o600]
        assert run("site", "restore", copy, "--folder", tmp_path / "new")[0] == 0
        with the_site(site_in(tmp_path / "new")).database.session(writes=False) as db:
            assert db.scalars(select(Vote.vote)).all() == [1]
        there = Visitor(site_in(tmp_path / "new"))
        there.client.cookies = voter.client.cookies
        assert "Be " in there.get(f"{at}/votes").text and there.status == 200

    def test_every_row_is_in_it(self, app: Starlette, owner: Visitor, tmp_path: Path, copy: Path) -> None:
        participant_in(app, conversation_in(owner)).send("/vote", vote="agree")
        run("site", "backup", copy, "--folder", tmp_path / "site")
        run("site", "restore", copy, "--folder", tmp_path / "new")
        both = []
        for folder in ("site", "new"):
            with sqlite3.connect(tmp_path / folder / "site.sqlite") as db:
                both.append(list(db.iterdump()))
        assert both[0] == both[1] and len(both[0]) > 40

    def test_nothing_is_overwritten(self, app: Starlette, tmp_path: Path, copy: Path) -> None:
        site = tmp_path / "site"
        run("site", "backup", copy, "--folder", site)
        kept = copy.read_bytes()
        for command in ("backup", "restore"):
            status, said = run("site", command, copy, "--folder", site)
            assert status == 2 and "is there already; nothing was written" in " ".join(said.split())
        assert copy.read_bytes() == kept and not list(tmp_path.rglob("*.part"))

    @pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
    def test_the_log_of_another_database_is_not_taken_for_its_own(
        self, app: Starlette, tmp_path: Path, copy: Path, ending: str
    ) -> None:
        run("site", "backup", copy, "--folder", tmp_path / "site")
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / f"site.sqlite{ending}").touch()
        assert run("site", "restore", copy, "--folder", tmp_path / "new")[0] == 2

    def test_what_is_no_copy_is_refused(self, app: Starlette, tmp_path: Path, copy: Path) -> None:
        wrong, new = tmp_path / "wrong", tmp_path / "new"
        run("site", "backup", copy, "--folder", tmp_path / "site")
        whole = copy.read_bytes()
        changed = sqlite3.connect(copy)
        changed.execute("UPDATE alembic_version SET version_num = '9999'")
        changed.commit()
        changed.close()
        cases = (
            (b"no database", "is no copy of a site"),
            (copy.read_bytes(), "is of a newer Solon (revision 9999)"),
            (whole[:20_000], "malformed"),
            (b"", "is no copy of a site: no such table"),
        )
        for content, message in cases:
            wrong.write_bytes(content)
            status, said = run("site", "restore", wrong, "--folder", new)
            assert status == 2 and message in " ".join(said.split()), said
        assert not new.exists()

    @pytest.mark.parametrize("command", [("backup", "x"), ("tidy",)])
    def test_there_has_to_be_a_site(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        status, said = run("site", *command, "--folder", tmp_path / "none")
        assert status == 2 and "there is no site here" in said and not (tmp_path / "none").exists()

    def test_postgresql_has_a_program_for_it(self, tmp_path: Path) -> None:
        status, said = run("site", "backup", tmp_path / "x", "--database", "postgresql://nobody@nowhere/x")
        assert status == 2 and "pg_dump" in said


@pytest.fixture
def where(tmp_path: Path) -> list[str]:
    """Options of `solon site` that name the site."""
    return ["--folder", str(tmp_path / "site")]


class TestTidying:
    @pytest.fixture
    def at(self, app: Starlette, owner: Visitor) -> str:
        at = conversation_in(owner, population=POPULATION)
        for _ in range(2):
            voter = participant_in(app, at)
            voter.send("/questions", q0="yes", q1="young")
            assert voter.status == 200
        owner.get(f"{at}/manage")
        owner.send("/invitations", count="3")
        return at

    def counts(self, app: Starlette) -> list[int]:
        with the_site(app).database.session(writes=False) as db:
            browsers = db.scalar(select(func.count()).where(Participant.browser.is_not(None)))
            tables = (SignIn, EntryLink, Invitation, Answer)
            return [browsers or 0, *(db.scalar(select(func.count()).select_from(one)) or 0 for one in tables)]

    def test_an_open_conversation_stays_as_it_is(self, app: Starlette, at: str, where: list[str]) -> None:
        before = self.counts(app)
        assert before[0] == 2 and before[2:] == [1, 3, 4]
        assert run("site", "tidy", "--days", 0, "--answers", *where)[0] == 0
        assert self.counts(app) == before

    def test_a_closed_one_forgets_browsers_and_invitations_in_time(
        self, app: Starlette, owner: Visitor, at: str, where: list[str]
    ) -> None:
        owner.get(f"{at}/manage")
        owner.send("/state", state="closed")
        before = self.counts(app)
        with the_site(app).database.session(writes=True) as db:
            db.add(Vote(participant_id=1, statement_id=1, vote=1, time=NO_TIME, token="import 1"))
            db.commit()
        run("site", "tidy", "--days", 1, *where)
        assert self.counts(app) == before, "it is not old enough, though nobody knows when an import's votes were"
        assert "browsers: 2" in run("site", "tidy", "--days", 0, *where)[1]
        assert self.counts(app) == [0, *before[1:3], 0, 4]
        run("site", "tidy", "--days", 0, "--answers", *where)
        assert self.counts(app)[-1] == 0
        with the_site(app).database.session(writes=False) as db:
            done = db.scalars(select(Audited).where(Audited.action == "tidied")).all()
        assert [one.detail["browsers"] for one in done] == [0, 2, 0]

    def test_an_arena_is_as_old_as_its_newest_vote(self, app: Starlette, owner: Visitor, where: list[str]) -> None:
        at = arena_in(owner, pasted(1))
        judge = participant_in(app, at)
        judge.send("/compare", both("tie"))
        owner.get(f"{at}/manage")
        owner.send("/state", state="closed")
        with the_site(app).database.session(writes=True) as db:
            db.execute(update(Conversation).values(created=Conversation.created - 2 * DAY))
            db.commit()
        assert "browsers: 0" in run("site", "tidy", "--days", 1, *where)[1]
        with the_site(app).database.session(writes=True) as db:
            db.execute(update(ArenaVote).values(time=ArenaVote.time - 2 * DAY))
            db.commit()
        assert "browsers: 1" in run("site", "tidy", "--days", 1, *where)[1]

    def test_an_export_that_nobody_takes_over_goes(self, app: Starlette, owner: Visitor, where: list[str]) -> None:
        at = draft(owner)
        send(owner, at, files_of(RIVERSIDE))
        assert "exports: 0" in run("site", "tidy", "--days", 1, *where)[1]
        with the_site(app).database.session(writes=True) as db:
            db.execute(update(Staged).values(created=Staged.created - 2 * DAY))
            db.commit()
        assert "exports: 1" in run("site", "tidy", "--days", 1, *where)[1]

    def test_sign_ins_and_links_that_are_over_go(self, app: Starlette, at: str, where: list[str]) -> None:
        with the_site(app).database.session(writes=True) as db:
            db.execute(update(SignIn).values(expires=SignIn.expires - SIGNED_IN - DAY))
            db.execute(update(EntryLink).values(used=EntryLink.used - HOUR))
            db.commit()
        run("site", "tidy", *where)
        assert self.counts(app)[1:3] == [0, 0]


class TestFiles:
    """Read as what starts them would."""

    @pytest.fixture
    def steps(self) -> list[tuple[str, str]]:
        text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        return [(line.split()[0], line.partition(" ")[2].strip()) for line in lines]

    def test_the_container_installs_what_a_site_needs(self, steps: list[tuple[str, str]]) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        install = next(text for name, text in steps if "pip install" in text)
        (extras,) = re.findall(r"'\.\[([a-z,]+)\]'", install)
        assert {*extras.split(",")} == {"web", "postgres"} <= {*project["optional-dependencies"]}
        copied = [one for name, text in steps if name == "COPY" and "--from" not in text for one in text.split()[:-1]]
        assert all((ROOT / one).exists() for one in copied)
        assert {"pyproject.toml", "src", project["readme"], *project["license-files"]} <= {*copied}
        versions = {tuple(map(int, found)) for _, text in steps for found in re.findall(r"python:(3)\.(\d+)", text)}
        assert len(versions) == 1 and (3, 11) <= versions.pop() < (3, 13)

    def test_the_container_is_no_root_and_writes_to_one_folder(self, steps: list[tuple[str, str]]) -> None:
        last = dict(steps)
        assert last["USER"] == "10001" and last["VOLUME"] == "/site"
        command = last["ENTRYPOINT"] + last["CMD"]
        assert '"--folder", "/site"' in command and {*re.findall(r"--[a-z]+", command)} <= options_of_serve()
        for told in (DEPLOY / "Containerfile", ROOT / "docs/operators.md"):
            assert "podman build --format docker -f deploy/Containerfile " in told.read_text(), (
                "else it has no HEALTHCHECK"
            )
        assert last["EXPOSE"] == str(Settings().port) and f":{Settings().port}/health" in last["HEALTHCHECK"]

    def test_the_service_starts_a_site_in_its_own_folder(self) -> None:
        text = (DEPLOY / "solon.service").read_text()
        (start,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
        assert {*re.findall(r"--[a-z]+", start)} <= options_of_serve()
        assert "--folder /var/lib/solon " in start and "StateDirectory=solon\n" in text

    @pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
    def test_the_service_is_one(self, tmp_path: Path) -> None:
        unit = tmp_path / "solon.service"
        unit.write_text((DEPLOY / "solon.service").read_text().replace("/opt/solon/bin/solon", "/bin/true"))
        done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60)
        assert (done.returncode, [line for line in done.stderr.splitlines() if "solon.service" in line]) == (0, [])

    def test_the_proxy_says_who_visits_and_lets_every_form_through(self) -> None:
        text = (DEPLOY / "nginx.conf").read_text()
        assert f"proxy_pass http://127.0.0.1:{Settings().port};" in text
        assert "X-Forwarded-For $remote_addr;" in text and "access_log off;" in text
        assert int(re.findall(r"client_max_body_size (\d+)k;", text)[0]) * 1024 >= MOST_BYTES
        assert text.count("{") == text.count("}")
        ways = dict(re.findall(r"location ~ (\S+) \{(.*?)\n    \}", text, re.DOTALL))
        exports = next(part for way, part in ways.items() if re.search(way, "/c/0123456789abcdef/import"))
        assert int(re.findall(r"client_max_body_size (\d+)m;", exports)[0]) * 2**20 > MOST_UPLOADED
        for path in ("/chat/demo", "/lab/demo"):
            assert "proxy_buffering off;" in next(part for way, part in ways.items() if re.search(way, path))


def test_every_table_has_its_place() -> None:
    """Whoever adds one thinks of what is kept of people, and for how long (docs/operators.md)."""
    text = (ROOT / "docs/operators.md").read_text()
    assert [name for name in Base.metadata.tables if f"`{name}`" not in text] == []
