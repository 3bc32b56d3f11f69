"""What an export says of moderation: whether it was strict, and which statements are about the conversation itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import polis_exports as town
from polis_exports import clojure, server_json
from report.public_page import read_page, section
from solon.collective.conversation import Conversation
from solon.collective.exporting import export_conversation
from solon.collective.opinion.analysis import analyse
from solon.collective.principles.selection import admissible
from solon.collective.reading.findings import Import
from solon.collective.reading.folder import open_conversation, write_import
from solon.report.public.inputs import PublicInput
from solon.report.public.page import render_public_report

UNMODERATED = {number for number, state in town.MODERATED.items() if state == 0}


def lenient(folder: Path, strict: object) -> Import:
    server_json(folder)
    about = json.loads((folder / "conversation.json").read_text(encoding="utf-8"))
    (folder / "conversation.json").write_text(json.dumps(about | {"strict_moderation": strict}), encoding="utf-8")
    return open_conversation(folder)


@pytest.mark.parametrize(("word", "strict"), [("false", False), (" True ", True)])
def test_a_word_for_strict_moderation_is_read(tmp_path: Path, word: str, strict: bool) -> None:
    imported = lenient(tmp_path, word)
    assert imported.conversation.strict_moderation is strict and not said(imported, "neither true")


def left_out(talk: Conversation) -> set[int]:
    return {
        number for number, why in admissible(talk, include_unmoderated=False)[1].items() if why.code == "unmoderated"
    }


def removed_on_the_page(imported: Import) -> str:
    return section(
        read_page(render_public_report(PublicInput(analysis=analyse(imported.conversation)))), "removed"
    ).text


def said(imported: Import, word: str) -> list[str]:
    return [str(one) for one in imported.findings if word in one.what]


def test_statements_that_people_saw_unmoderated_count_where_moderation_was_not_strict(tmp_path: Path) -> None:
    strict, loose = lenient(tmp_path / "a", True), lenient(tmp_path / "b", False)
    unsaid = open_conversation(server_json(tmp_path / "c"))
    assert UNMODERATED and left_out(strict.conversation) == left_out(unsaid.conversation) == UNMODERATED
    assert left_out(loose.conversation) == set()
    told = "moderation was not strict: people voted on statements that no moderator had decided on, and they count"
    assert said(loose, "strict") == [f"b: {told}"] and not said(strict, "strict")
    assert admissible(loose.conversation, include_unmoderated=False)[2].startswith("Moderation was not strict")
    assert "People could vote on every statement until a moderator" in removed_on_the_page(loose)
    assert "Moderators decide which statements people can vote on. They rejected " in removed_on_the_page(strict)


def test_it_stays_known_through_import_and_export(tmp_path: Path) -> None:
    for strict in (True, False):
        found = lenient(tmp_path / f"{strict}", strict)
        write_import(found, tmp_path / f"{strict}-imported")
        assert open_conversation(tmp_path / f"{strict}-imported").conversation.strict_moderation is strict
        export_conversation(found.conversation, tmp_path / f"{strict}-exported", seed=0)
        again = open_conversation(tmp_path / f"{strict}-exported", vote_sign=1)
        assert again.conversation.strict_moderation is strict and not said(again, "unknown key")
    assert open_conversation(clojure(tmp_path / "town")).conversation.strict_moderation is None


def test_what_is_no_truth_is_said_and_ignored(tmp_path: Path) -> None:
    found = lenient(tmp_path / "a", "often")
    assert found.conversation.strict_moderation is None
    assert said(found, "strict") == ["conversation.json: strict_moderation is neither true nor false: 'often'; ignored"]


@pytest.mark.parametrize("name", ["is_meta", "is-meta"])
def test_meta_statements_are_known_under_either_name(tmp_path: Path, name: str) -> None:
    folder = clojure(tmp_path / "town")
    town.replace_in(folder / "comments.csv", "is-meta,is-seed", f"{name},{name.replace('meta', 'seed')}")
    found = open_conversation(folder)
    assert {one.id for one in found.conversation.statements if one.is_meta} == town.META
    assert {one.id for one in found.conversation.statements if one.is_seed} == town.SEEDS
    assert not said(found, "is-meta") and not said(found, "unknown column")


def test_without_the_column_it_is_said_that_no_statement_is_meta(tmp_path: Path) -> None:
    folder = clojure(tmp_path / "town")
    town.replace_in(folder / "comments.csv", "is-meta,is-seed", "is-something,is-other")
    found = open_conversation(folder)
    assert not any(one.is_meta for one in found.conversation.statements)
    assert said(found, "is-meta") == [
        "comments.csv: no column is-meta; no statement counts as about the conversation itself"
    ]
