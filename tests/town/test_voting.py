"""The conversation on a real site: every vote is there once, and nothing of the site stays."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from solon.collective.reading.folder import open_conversation
from solon.collective.tables import read_csv
from solon.errors import ProcessError
from solon.town.collect import Folder
from solon.town.public import Public
from solon.town.site import served
from solon.town.visitor import Visitor

NUMBERS = {"agree": 1, "disagree": -1, "pass": 0}


def test_every_vote_is_in_the_export_once(public: Public, folder: Folder) -> None:
    talk = open_conversation(folder.export).conversation
    assert [one.text for one in talk.statements] == [one.text for one in public.statement]
    accepted = [at for at, one in enumerate(public.statement) if not one.rejected]
    assert talk.seen_PS[:, accepted].all()
    homes = dict(
        zip(*(read_csv(folder.export / "people.csv").column(name) for name in ("participant", "district")), strict=True)
    )
    given = Counter(
        (homes[str(person)], tuple(votes[accepted].tolist()))
        for person, votes in zip(talk.participant_ids.tolist(), talk.votes_PS, strict=True)
    )
    meant = Counter(
        (public.district[one.district].name, tuple(NUMBERS[one.vote(public.statement[at])] for at in accepted))
        for one in public.people(0)
    )
    assert given == meant


def test_moderators_accepted_what_they_were_to_and_rejected_the_rest(public: Public, folder: Folder) -> None:
    table = read_csv(folder.export / "comments.csv")
    assert table.column("moderated") == ["-1" if one.rejected else "1" for one in public.statement]
    assert [bool(one) for one in table.column("author-id")] == [one.author is not None for one in public.statement]


def test_a_site_ends_with_its_block(tmp_path: Path) -> None:
    with served(tmp_path / "site") as site:
        assert "Public input" in Visitor(site.base, "198.18.0.1").get("/").text
        os.kill(site.process, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(site.process, 0)
    with pytest.raises(ProcessError, match="the site cannot be reached"):
        Visitor(site.base, "198.18.0.1").get("/")


def test_what_the_site_refuses_is_told(tmp_path: Path) -> None:
    with served(tmp_path / "site") as site:
        visitor = Visitor(site.base, "198.18.0.1")
        with pytest.raises(ProcessError, match="answered /c/nowhere with 404"):
            visitor.get("/c/nowhere")
        visitor.get(site.link)
        with pytest.raises(ProcessError, match="has no form to /begin"):
            visitor.send("/begin", topic="?")
        visitor.send(site.link)
        visitor.get("/begin")
        with pytest.raises(ProcessError, match="did not take what was sent to /begin"):
            visitor.send("/begin", topic=" ")


def test_a_site_that_cannot_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLON_SECRET", "short")
    with (
        pytest.raises(ProcessError, match=r"the site did not begin: .*the secret is too short"),
        served(tmp_path / "site"),
    ):
        pass
