"""Files are found by their names, or by the end of them where that leaves no doubt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from polis_exports import clojure, server_csv, server_json
from solon.collective.reading.files import find_files
from solon.collective.reading.folder import open_conversation
from solon.errors import InputError


def prefixed(folder: Path, before: str) -> Path:
    for path in list(folder.iterdir()):
        path.rename(folder / f"{before}{path.name}")
    return folder


@pytest.mark.parametrize("writer", [clojure, server_csv, server_json])
@pytest.mark.parametrize("before", ["4xyz9-", "2024-10-22-1203 ", "r4.export_"])
def test_downloads_named_for_their_conversation_are_read_and_said(
    tmp_path: Path, writer: Callable[[Path], Path], before: str
) -> None:
    plain = open_conversation(writer(tmp_path / "plain" / "town"))
    found = open_conversation(prefixed(writer(tmp_path / "prefixed" / "town"), before))
    assert (found.conversation.votes_PS == plain.conversation.votes_PS).all()
    assert found.conversation.participants == plain.conversation.participants
    (told,) = (one for one in found.findings if "end of the name" in one.what)
    assert told.severity == "note" and told.what.startswith(f"read by the end of the name: {before}comments.")
    assert len(found.findings) == len(plain.findings) + 1


def test_the_matrix_is_not_taken_for_the_votes(tmp_path: Path) -> None:
    folder = prefixed(clojure(tmp_path / "town", votes=False), "4xyz-")
    files = find_files(folder)
    assert files.votes is None
    assert files.matrix == folder / "4xyz-participants-votes.csv"


def test_names_that_begin_differently_are_doubted(tmp_path: Path) -> None:
    folder = clojure(tmp_path / "town")
    (folder / "votes.csv").rename(folder / "a-votes.csv")
    (folder / "comments.csv").rename(folder / "b-comments.csv")
    warned = [str(one) for one in open_conversation(folder).findings if one.severity == "warning"]
    assert warned == ["town: files whose names begin differently: do they belong to one export?; taken as one"]


def test_two_files_that_could_be_meant_are_refused_by_name(tmp_path: Path) -> None:
    folder = clojure(tmp_path / "town")
    (folder / "comments.csv").rename(folder / "a-comments.csv")
    (folder / "b-comments.csv").write_text("")
    with pytest.raises(InputError, match=r"2 files end in comments.csv: a-comments.csv, b-comments.csv \(keep the one"):
        open_conversation(folder)


def test_the_plain_name_comes_first_and_hidden_files_and_other_words_never(tmp_path: Path) -> None:
    folder = clojure(tmp_path / "town")
    for name in ("old-comments.csv", "._votes.csv", "~$summary.csv"):
        (folder / name).write_text("")
    assert find_files(folder).comments == folder / "comments.csv"
    assert open_conversation(folder).conversation.log is not None
    (folder / "votes.csv").rename(folder / "devotes.csv")
    assert find_files(folder).votes is None
