"""Which layout a folder holds, told by its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from solon.collective.reading.exported import Layout
from solon.errors import InputError, Where

MATRIX_NAMES = ("participants-votes.csv", "participant-votes.csv")
"""The Clojure export's name first, then the server's."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """The files of an export; None: it has no such file."""

    folder: Path
    is_json: bool
    comments: Path
    votes: Path | None
    matrix: Path | None
    about: Path | None
    """`summary.csv` or `conversation.json`."""
    mathematics: Path | None = None
    """`math-pca2.json`, which counts the votes of each participant."""

    @property
    def server_names(self) -> bool:
        """The matrix is named as the server names it."""
        return self.matrix is not None and self.matrix.name == MATRIX_NAMES[1]


def find_files(folder: Path) -> Files:
    """The files of the export in `folder`; `InputError` if there is none, or one and a half."""
    if not folder.exists():
        raise InputError("no such folder", where=Where(folder))
    if not folder.is_dir():
        hint = "name the folder that holds comments.csv and the votes"
        raise InputError("is a file, not the folder of an export", where=Where(folder), hint=hint)
    csv = _existing(folder, "comments.csv")
    json = _existing(folder, "comments.json")
    if csv and json:
        hint = "keep one of them"
        raise InputError(
            "both comments.csv and comments.json: two exports in one folder", where=Where(folder), hint=hint
        )
    if json:
        return _json_files(folder, json)
    if csv:
        return _csv_files(folder, csv)
    raise InputError(
        "no comments.csv or comments.json",
        where=Where(folder),
        hint="give the folder of a Polis export, or one written by `solon collect import`",
    )


def _csv_files(folder: Path, comments: Path) -> Files:
    votes = _existing(folder, "votes.csv")
    matrices = [path for name in MATRIX_NAMES if (path := _existing(folder, name))]
    if len(matrices) > 1:
        raise InputError(f"both {' and '.join(MATRIX_NAMES)}", where=Where(folder), hint="keep the one of this export")
    if not votes and not matrices:
        hint = "add one of them from the same export"
        raise InputError(f"no votes: neither votes.csv nor {MATRIX_NAMES[0]}", where=Where(folder), hint=hint)
    return Files(
        folder=folder,
        is_json=False,
        comments=comments,
        votes=votes,
        matrix=matrices[0] if matrices else None,
        about=_existing(folder, "summary.csv"),
    )


def _json_files(folder: Path, comments: Path) -> Files:
    votes = _existing(folder, "votes.json")
    if not votes:
        raise InputError("comments.json without votes.json", where=Where(folder), hint="add the conversation's votes")
    return Files(
        folder=folder,
        is_json=True,
        comments=comments,
        votes=votes,
        matrix=None,
        about=_existing(folder, "conversation.json"),
        mathematics=_existing(folder, "math-pca2.json"),
    )


def layout_of(files: Files, *, in_seconds: bool) -> Layout:
    """Clojure files have milliseconds, server files seconds and `participant-votes.csv` without the s."""
    if files.is_json:
        return Layout.server_json
    return Layout.server_csv if in_seconds or files.server_names else Layout.clojure


def _existing(folder: Path, name: str) -> Path | None:
    path = folder / name
    return path if path.exists() else None
