"""The files of an export: which there are, which layout they tell, and all of them read as they are.

Downloads are often named for their conversation: `4xyz-comments.csv` is read as `comments.csv` where nothing else is.
Two files that could be meant are refused, and every name that has something in front is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from solon.collective.conversation import Participant
from solon.collective.reading.contents import read_about, read_comments, read_matrix, read_votes
from solon.collective.reading.exported import About, Export, Layout, Matrix
from solon.collective.reading.findings import Findings
from solon.collective.reading.mathematics import stored_groups
from solon.errors import InputError, Where

MATRIX_NAMES = ("participants-votes.csv", "participant-votes.csv")
"""The Clojure export's name first, then the server's."""
JSON_NAMES = ("comments.json", "votes.json", "conversation.json", "math-pca2.json")
NAMES = ("comments.csv", "votes.csv", *MATRIX_NAMES, "summary.csv", *JSON_NAMES)
EXPORT_MARK = "solon-export.txt"
"""A file that says that the export is ours, with apostrophes before text that looks like a formula."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """The files of an export; None: it has no such file."""

    folder: Path
    comments: Path
    votes: Path | None
    matrix: Path | None
    about: Path | None
    mathematics: Path | None

    @property
    def all(self) -> list[Path]:
        paths = (self.comments, self.votes, self.matrix, self.about, self.mathematics)
        return [path for path in paths if path is not None]

    @property
    def is_json(self) -> bool:
        return self.comments.suffix == ".json"


def find_files(folder: Path) -> Files:
    """The files of the export in `folder`; `InputError` if there is none, or one and a half."""

    def refused(what: str, hint: str | None) -> InputError:
        return InputError(what, where=Where(folder), hint=hint)

    if not folder.exists():
        raise refused("no such folder", None)
    if not folder.is_dir():
        raise refused("is a file, not the folder of an export", "name the folder that holds comments.csv and the votes")
    forms = [form for form in ("csv", "json") if _existing(folder, f"comments.{form}")]
    if not forms:
        hint = "give the folder of a Polis export, or one written by `solon collect import`"
        raise refused("no comments.csv or comments.json", hint)
    if len(forms) > 1:
        raise refused("both comments.csv and comments.json: two exports in one folder", "keep one of them")
    found = {name: path for name in NAMES if name.endswith(forms[0]) and (path := _existing(folder, name))}
    matrices, votes = [found[name] for name in MATRIX_NAMES if name in found], found.get(f"votes.{forms[0]}")
    if forms == ["json"] and not votes:
        raise refused("comments.json without votes.json", "add the conversation's votes")
    if len(matrices) > 1:
        raise refused(f"both {' and '.join(MATRIX_NAMES)}", "keep the one of this export")
    if not matrices and not votes:
        raise refused(f"no votes: neither votes.csv nor {MATRIX_NAMES[0]}", "add one of them from the same export")
    return Files(
        folder=folder,
        comments=found[f"comments.{forms[0]}"],
        votes=votes,
        matrix=matrices[0] if matrices else None,
        about=found.get("summary.csv") or found.get("conversation.json"),
        mathematics=found.get("math-pca2.json"),
    )


def _existing(folder: Path, name: str) -> Path | None:
    """The file of that name, or else the only one that ends in it; `InputError` where several do."""
    found = sorted(one for one in folder.iterdir() if plain_name(one.name) == name)
    if folder / name in found:
        return folder / name
    if len(found) > 1:
        names = ", ".join(one.name for one in found[:5])
        hint = f"keep the one of this export, or name it {name}"
        raise InputError(f"{len(found)} files end in {name}: {names}", where=Where(folder), hint=hint)
    return found[0] if found else None


def plain_name(file: str) -> str:
    """The name that Polis gives a file, whatever stands before it; empty: none. Hidden files and locks have none.

    >>> plain_name("4xyz-votes.csv"), plain_name("4xyz-participants-votes.csv"), plain_name("devotes.csv")
    ('votes.csv', 'participants-votes.csv', '')
    """
    name = max((name for name in NAMES if file.endswith(name)), key=len, default="")
    before = file.removesuffix(name)
    return name if file[:1] not in (".", "~") and before[-1:] in ("", *"-_. ") else ""


def read_export(files: Files) -> Export:
    """Everything the files say; `InputError` for what cannot be read."""
    findings = Findings()
    _say_files(files, findings)
    ours = (files.folder / EXPORT_MARK).is_file()
    events, participants, in_seconds = read_votes(files.votes, findings) if files.votes else (None, (), False)
    layout = _layout(files, in_seconds=in_seconds)
    about = read_about(files.about, findings, ours=ours) if files.about else About()
    statements, statement_counts, in_seconds = read_comments(files.comments, layout, findings, ours=ours)
    if not files.votes:
        layout = _layout(files, in_seconds=in_seconds)
    matrix = read_matrix(files.matrix, findings, ours=ours) if files.matrix else Matrix(participants=participants)
    if files.mathematics and events is not None:
        groups = stored_groups(files.mathematics, events, findings)
        matrix = replace(matrix, participants=_grouped(participants, groups))
    return Export(
        layout=layout,
        folder=files.folder,
        statements=statements,
        statement_counts=statement_counts,
        comments_path=files.comments,
        events=events,
        matrix=matrix,
        findings=findings,
        about=about,
    )


def _grouped(participants: Sequence[Participant], groups: dict[int, str]) -> tuple[Participant, ...]:
    known = {one: Participant(id=one) for one in groups} | {one.id: one for one in participants}
    return tuple(one.model_copy(update={"exported_group": groups.get(one.id)}) for _, one in sorted(known.items()))


def _layout(files: Files, *, in_seconds: bool) -> Layout:
    """Clojure files have milliseconds, server files seconds and `participant-votes.csv` without the s."""
    if files.is_json:
        return Layout.server_json
    server = files.matrix is not None and plain_name(files.matrix.name) == MATRIX_NAMES[1]
    return Layout.server_csv if in_seconds or server else Layout.clojure


def _say_files(files: Files, findings: Findings) -> None:
    """Names with something in front, files that an export usually has, and such as end in the middle of a line."""
    folder = files.folder.resolve().name
    if before := {path.name: front for path in files.all if (front := path.name.removesuffix(plain_name(path.name)))}:
        findings.note(folder, f"read by the end of the name: {', '.join(sorted(before))}")
        if len(set(before.values())) > 1:
            what = "files whose names begin differently: do they belong to one export?"
            findings.warning(folder, what, "taken as one")
    no_about = f"no {'conversation.json' if files.is_json else 'summary.csv'}: the topic is not known"
    no_matrix = "no participants-votes.csv: votes.csv cannot be compared with it, and there are no exported groups"
    for path, what in (
        (files.votes, "no votes.csv: when votes were cast is not known, nor what a re-vote replaced"),
        (files.matrix or files.is_json, no_matrix),
        (files.about, no_about),
    ):
        if not path:
            findings.warning(folder, what)
    for path in files.all if not files.is_json else ():
        if path.is_file() and not path.read_bytes().endswith((b"\n", b"\r")):
            findings.warning(path, "the last line has no end: the file may be cut off")
