"""Which layout a folder holds, told by its files.

Downloads are often named for their conversation: `4xyz-comments.csv` is read as `comments.csv` where nothing else is.
Two files that could be meant are refused, and every name that has something in front is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from solon.collective.reading.exported import Layout
from solon.collective.reading.findings import Findings
from solon.errors import InputError, Where

MATRIX_NAMES = ("participants-votes.csv", "participant-votes.csv")
"""The Clojure export's name first, then the server's."""
JSON_NAMES = ("comments.json", "votes.json", "conversation.json", "math-pca2.json")
NAMES = ("comments.csv", "votes.csv", *MATRIX_NAMES, "summary.csv", *JSON_NAMES)


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
        return self.matrix is not None and _called(self.matrix.name, MATRIX_NAMES[1])

    @property
    def renamed(self) -> dict[str, str]:
        """Files by name that bear more than the name that Polis gives them: what stands before it."""
        paths = (self.comments, self.votes, self.matrix, self.about, self.mathematics)
        found = {path.name: _before(path.name) for path in paths if path is not None}
        return {name: before for name, before in found.items() if before}


def find_files(folder: Path) -> Files:
    """The files of the export in `folder`; `InputError` if there is none, or one and a half."""
    if not folder.is_dir():
        what = "is a file, not the folder of an export" if folder.exists() else "no such folder"
        raise _refused(
            what, folder, "name the folder that holds comments.csv and the votes" if folder.exists() else None
        )
    forms = [form for form in ("csv", "json") if _existing(folder, f"comments.{form}")]
    if not forms:
        hint = "give the folder of a Polis export, or one written by `solon collect import`"
        raise _refused("no comments.csv or comments.json", folder, hint)
    if len(forms) > 1:
        raise _refused("both comments.csv and comments.json: two exports in one folder", folder, "keep one of them")
    found = {name: path for name in NAMES if name.endswith(forms[0]) and (path := _existing(folder, name))}
    matrices = [found[name] for name in MATRIX_NAMES if name in found]
    votes = found.get(f"votes.{forms[0]}")
    if forms == ["json"] and not votes:
        raise _refused("comments.json without votes.json", folder, "add the conversation's votes")
    if len(matrices) > 1:
        raise _refused(f"both {' and '.join(MATRIX_NAMES)}", folder, "keep the one of this export")
    if not matrices and not votes:
        what = f"no votes: neither votes.csv nor {MATRIX_NAMES[0]}"
        raise _refused(what, folder, "add one of them from the same export")
    return Files(
        folder=folder,
        is_json=forms == ["json"],
        comments=found[f"comments.{forms[0]}"],
        votes=votes,
        matrix=matrices[0] if matrices else None,
        about=found.get("summary.csv") or found.get("conversation.json"),
        mathematics=found.get("math-pca2.json"),
    )


def _refused(what: str, folder: Path, hint: str | None) -> InputError:
    return InputError(what, where=Where(folder), hint=hint)


def layout_of(files: Files, *, in_seconds: bool) -> Layout:
    """Clojure files have milliseconds, server files seconds and `participant-votes.csv` without the s."""
    if files.is_json:
        return Layout.server_json
    return Layout.server_csv if in_seconds or files.server_names else Layout.clojure


def say_renamed(files: Files, findings: Findings) -> None:
    """Which files are read although their names have something in front, and whether that differs."""
    before = files.renamed
    if not before:
        return
    findings.note(files.folder.resolve().name, f"read by the end of the name: {', '.join(sorted(before))}")
    if len(set(before.values())) > 1:
        what = "files whose names begin differently: do they belong to one export?"
        findings.warning(files.folder.resolve().name, what, "taken as one")


def _existing(folder: Path, name: str) -> Path | None:
    """The file of that name, or else the only one that ends in it; `InputError` where several do."""
    path = folder / name
    if path.exists():
        return path
    found = sorted(one for one in folder.iterdir() if _called(one.name, name))
    if len(found) > 1:
        names = ", ".join(one.name for one in found[:5])
        hint = f"keep the one of this export, or name it {name}"
        raise InputError(f"{len(found)} files end in {name}: {names}", where=Where(folder), hint=hint)
    return found[0] if found else None


def _called(file: str, name: str) -> bool:
    """Whether a file is `name`, with or without something in front. Hidden files and locks are not.

    >>> _called("4xyz-votes.csv", "votes.csv"), _called("4xyz-participants-votes.csv", "votes.csv")
    (True, False)
    """
    before = file.removesuffix(name)
    if not file.endswith(name) or file[:1] in (".", "~"):
        return False
    return not before or (before[-1] in "-_. " and _before(file) == before)


def _before(file: str) -> str:
    """What stands before the longest known name that the file's name ends in."""
    return file.removesuffix(max((name for name in NAMES if file.endswith(name)), key=len, default=file))
