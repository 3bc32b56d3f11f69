"""What is kept: for the same input and code alone, by commands that run at once, and never trusted blindly."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from solon.collective import kept as module
from solon.collective.conversation import Conversation, Participant
from solon.collective.kept import folder, kept
from solon.collective.opinion import stability as opinions
from solon.collective.opinion.grouping import find_groups
from solon.collective.opinion.stability import opinion_of
from solon.records import Record
from talks import random_rows, talk
from voters import stability_of


class Number(Record):
    value: int


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder()


def never() -> Number:
    raise AssertionError("was computed again")


def test_the_same_input_is_computed_once(cache: Path) -> None:
    assert kept(Number, b"a", lambda: Number(value=7)).value == 7
    assert kept(Number, b"a", never).value == 7
    assert kept(Number, b"b", lambda: Number(value=8)).value == 8
    assert [stat.S_IMODE(path.stat().st_mode) for path in cache.iterdir()] == [0o600] * 2


@pytest.mark.parametrize("damage", [b"", b"7", b'0000\n{"value":9}\n', b"\xff\n{}"])
def test_what_is_damaged_is_computed_again(cache: Path, damage: bytes) -> None:
    kept(Number, b"a", lambda: Number(value=7))
    (path,) = cache.iterdir()
    path.write_bytes(damage)
    assert kept(Number, b"a", lambda: Number(value=5)).value == 5
    assert kept(Number, b"a", never).value == 5


def test_one_changed_digit_is_noticed(cache: Path) -> None:
    kept(Number, b"a", lambda: Number(value=7))
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes().replace(b"7}", b"6}"))
    assert kept(Number, b"a", lambda: Number(value=7)).value == 7


def test_other_code_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    kept(Number, b"a", lambda: Number(value=7))
    monkeypatch.setattr(module, "_code", lambda: "another")
    assert kept(Number, b"a", lambda: Number(value=8)).value == 8


def test_a_cache_that_cannot_be_written_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert kept(Number, b"a", lambda: Number(value=7)).value == 7


def test_a_relative_cache_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert folder() == Path.home() / ".cache/solon"


def test_the_oldest_go_first(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    for at in range(4):
        kept(Number, bytes([at]), lambda at=at: Number(value=at))  # type: ignore[misc]
        for path in cache.iterdir():
            os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**9))
    assert len(list(cache.iterdir())) == 2 and kept(Number, bytes([3]), never).value == 3


def test_commands_at_once_do_not_disturb_one_another(cache: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: kept(Number, b"a", lambda: Number(value=7)).value, range(200)))
    assert found == [7] * 200 and len(list(cache.iterdir())) == 1


def test_groups_and_stability_are_those_that_would_be_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = talk(random_rows(3, 40, 12), people=range(10, 50))
    first = opinion_of(conversation, seed=4)
    monkeypatch.setattr(opinions, "make_trials", never)
    again = opinion_of(conversation, seed=4)
    computed = find_groups(conversation, seed=4)
    for one in (first.groups, again.groups):
        np.testing.assert_array_equal(one.participant_ids, computed.participant_ids)
        np.testing.assert_array_equal(one.labels_G, computed.labels_G)
        assert (one.names, one.silhouettes, one.tries, one.notes, one.method) == (
            computed.names,
            computed.silhouettes,
            computed.tries,
            computed.notes,
            computed.method,
        )
    assert first.stability == again.stability == stability_of(conversation, computed, seed=4)


def test_given_groups_keep_their_names_to_themselves(cache: Path) -> None:
    conversation = talk(random_rows(3, 40, 12), people=range(10, 50))
    given = replace(find_groups(conversation, k=2), names=("north", "south"), method="given")
    assert opinion_of(conversation, groups=given).groups is given
    (path,) = cache.iterdir()
    assert b"north" not in path.read_bytes()


def changed(conversation: Conversation, what: str) -> Conversation:
    votes, seen = conversation.votes_PS.copy(), conversation.seen_PS.copy()
    if what == "a vote":
        votes[0, np.flatnonzero(seen[0])[0]] *= -1
    if what == "a vote not cast":
        seen[0, np.flatnonzero(seen[0])[0]] = False
    statements = list(conversation.statements)
    if what == "moderation":
        statements[0] = statements[0].model_copy(update={"moderated": -1})
    return replace(conversation, votes_PS=np.where(seen, votes, 0), seen_PS=seen, statements=tuple(statements))


@pytest.mark.parametrize("what", ["a vote", "a vote not cast", "moderation"])
def test_whatever_differs_is_computed_anew(cache: Path, what: str) -> None:
    conversation = talk([[1, *row] for row in random_rows(3, 40, 12)])
    opinion_of(conversation)
    opinion_of(changed(conversation, what))
    assert len(list(cache.iterdir())) == 2


def test_other_settings_are_computed_anew_and_other_ids_are_not(cache: Path) -> None:
    conversation = talk(random_rows(3, 40, 12))
    opinion_of(conversation)
    people = tuple(Participant(id=one.id + 500) for one in conversation.participants)
    renamed = opinion_of(replace(conversation, participants=people)).groups
    assert len(list(cache.iterdir())) == 1 and renamed.participant_ids.min() >= 500
    for settings in ({"k": 2}, {"seed": 1}):
        opinion_of(conversation, **settings)  # type: ignore[arg-type]
    assert len(list(cache.iterdir())) == 3


@pytest.mark.parametrize("which", ["file", "folder"])
def test_what_others_may_write_is_not_believed(cache: Path, which: str) -> None:
    kept(Number, b"a", lambda: Number(value=7))
    (path,) = cache.iterdir()
    (path if which == "file" else cache).chmod(0o777)
    assert kept(Number, b"a", lambda: Number(value=5)).value == 5


def test_what_is_not_a_file_of_its_own_is_not_believed(cache: Path, tmp_path: Path) -> None:
    kept(Number, b"a", lambda: Number(value=7))
    (path,) = cache.iterdir()
    path.symlink_to(path.rename(tmp_path / "elsewhere"))
    assert kept(Number, b"a", lambda: Number(value=5)).value == 5


@pytest.mark.parametrize(
    "change",
    [
        {"participant_ids": [0, 1]},
        {"participant_ids": [0, 1, 1]},
        {"participant_ids": [-1, 0, 1]},
        {"labels_G": [0, 2, 1]},
        {"labels_G": [0, 0, -1]},
    ],
)
def test_a_kept_grouping_has_each_person_once_in_a_group_that_there_is(change: dict[str, list[int]]) -> None:
    stability = opinion_of(talk(random_rows(1, 12, 6))).stability.model_dump()
    groups = {"participant_ids": [0, 1, 2], "labels_G": [0, 0, 1], "names": ["0", "1"], "silhouettes": {}}
    good = {"groups": groups | {"method": "polis"}, "stability": stability}
    opinions.Opinion.model_validate(good)
    with pytest.raises(ValueError):
        opinions.Opinion.model_validate(good | {"groups": good["groups"] | change})
