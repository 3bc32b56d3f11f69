"""The merges file: topics, proposed merges, and statements that may need better words, for a person to decide on.

Nothing in it counts before a person has written `yes` or `no`, in an editor or through `solon collect merge`. The file
repeats every statement's text beside its id, so that it can be judged on its own and is refused for a conversation in
which the id means something else.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from solon.collective.conversation import Conversation
from solon.collective.tables import raise_faults, read_text, shown, write_file
from solon.constitution.faults import Faults
from solon.constitution.texts import Text, Word
from solon.errors import ConstitutionError, Fault, InputError, Where
from solon.places import Places, toml_places
from solon.records import Record
from solon.toml_text import toml, toml_lines

FORMAT = "solon-merges-1"
Decision = Literal["yes", "no", ""]

HEADER = """\
# Proposals for a person to decide on; nothing counts without a decision. Edit here, or walk through with
# `solon collect merge`. What is written here goes into the trace of the constitution.
#
# [[merge]]    decision = "yes": the statements say the same and become one principle, in the words of `wording`.
#              "no": they stay apart. "": not decided, they stay apart for now. Take out, add or reorder statements as
#              you like; the first one gives the principle its id. Merges of your own need an id, too.
# [[wording]]  A statement at which a person should look. "yes": use `wording` in its place. "no": leave the statement
#              out. "": not decided, its own words are quoted.
# [[topic]]    Names are yours to change; they become tags of the principles.
"""


class Cited(Record):
    """A statement with its text, as it stands in the conversation."""

    id: int
    text: str


class Merge(Record):
    """Statements that may say the same."""

    id: Word
    decision: Decision = ""
    wording: str = ""
    """What the merged idea says; proposed is the first statement's text."""
    similarity: float | None = None
    """Of the two statements least alike."""
    voted_alike: str = ""
    """How many of those who voted on all of them voted the same on all."""
    statements: tuple[Cited, ...] = Field(min_length=1)
    """The first gives the principle its id."""
    taken_out: tuple[Cited, ...] = ()
    """Proposed, but taken out of the merge by a person."""
    note: str = ""
    """For remarks of yours."""


class Rewording(Record):
    """A statement that should be said in other words before it is put to a model."""

    statement: int
    decision: Decision = ""
    wording: str = ""
    text: str
    """Its own words."""
    why: str = ""
    note: str = ""


class NamedTopic(Record):
    """Statements about one thing."""

    name: Text
    statements: tuple[int, ...]


class MergeFile(Record):
    """All of it."""

    format: Literal["solon-merges-1"]
    made_by: str = ""
    """Method, threshold and seed of the proposals."""
    topic: tuple[NamedTopic, ...] = ()
    merge: tuple[Merge, ...] = ()
    wording: tuple[Rewording, ...] = ()

    @property
    def open(self) -> int:
        """Proposals without a decision."""
        return sum(not one.decision for one in self.merge) + sum(not one.decision for one in self.wording)

    @property
    def total(self) -> int:
        return len(self.merge) + len(self.wording)


def merges_toml(file: MergeFile) -> str:
    """The text that `read_merges` reads as the same."""
    blocks = [HEADER + toml_lines([("format", file.format), ("made_by", file.made_by)])]
    for merge in file.merge:
        fields = merge.model_dump(exclude={"statements", "taken_out", "note"})
        cited = _cited("statements", merge.statements) + _cited("taken_out", merge.taken_out)
        blocks.append("[[merge]]\n" + toml_lines(fields.items()) + cited + _note(merge.note))
    blocks += [
        "[[wording]]\n" + toml_lines(one.model_dump(exclude={"note"}).items()) + _note(one.note) for one in file.wording
    ]
    blocks += ["[[topic]]\n" + toml_lines(topic.model_dump().items()) for topic in file.topic]
    return "\n".join(blocks)


def _note(note: str) -> str:
    return toml_lines([("note", note)]) if note else ""


def _cited(key: str, statements: Iterable[Cited]) -> str:
    lines = "".join(f"  {{ id = {one.id}, text = {toml(one.text)} }},\n" for one in statements)
    return f"{key} = [\n{lines}]\n" if lines else ""


def write_merges(path: Path, file: MergeFile) -> None:
    """Whole or not at all. Raises InputError if it cannot be written there."""
    write_file(path, merges_toml(file).encode("utf-8"))


def read_merges(path: Path) -> MergeFile:
    """Reads a merges file. Raises InputError with every fault and its line."""
    text = read_text(path).replace("\r\n", "\n")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        what = re.sub(r" \(at [^)]*\)$", "", str(error))
        raise InputError(
            f"is not TOML: {what[:1].lower()}{what[1:]}",
            where=Where(path, int(found[1]) if found else text.count("\n") + 1),
            hint="look at this line and the one before it: a missing quote, bracket or comma",
        ) from None
    except RecursionError:
        raise InputError("is nested too deeply to be a merges file", where=Where(path)) from None
    places = toml_places(text)
    file = _validated(path, data, places)
    raise_faults([*_contradictions(path, file, places)], path)
    return file


def check_merges(path: Path, file: MergeFile, conversation: Conversation) -> None:
    """Raises InputError if the file cites statements that the conversation does not have in these words."""
    texts = {one.id: one.text for one in conversation.statements}
    text = read_text(path).replace("\r\n", "\n")
    places = toml_places(text)
    faults: list[Fault] = []
    for index, merge in enumerate(file.merge):
        begins = places.line(("merge", index, "statements"))
        for cited in merge.statements:
            faults += _unlike(cited.id, cited.text, texts, Where(path, _line_of(cited.id, text, begins)))
    for index, one in enumerate(file.wording):
        faults += _unlike(one.statement, one.text, texts, Where(path, places.line(("wording", index, "statement"))))
    for index, topic in enumerate(file.topic):
        where = Where(path, places.line(("topic", index, "statements")))
        faults += [fault for number in topic.statements for fault in _unlike(number, None, texts, where)]
    raise_faults(faults, path)


def _line_of(number: int, text: str, begins: int | None) -> int | None:
    """The line of the list that begins at a line which cites this statement; the list's own line if none does."""
    lines = text.split("\n")
    for line in range(begins or 1, len(lines) + 1):
        if re.search(rf"\bid\s*=\s*\+?{number}\b", lines[line - 1]):
            return line
    return begins


def _unlike(number: int, text: str | None, texts: dict[int, str], where: Where) -> Iterator[Fault]:
    hint = "the file belongs to another conversation, or was edited; make it again with `solon collect topics`"
    if number not in texts:
        yield Fault(f"the conversation has no statement {number}", where, hint)
    elif text is not None and text != texts[number]:
        yield Fault(f"statement {number} reads {shown(texts[number])} in the conversation", where, hint)


def _validated(path: Path, data: dict[str, Any], places: Places) -> MergeFile:
    if data.get("format") != FORMAT:
        raise InputError(
            f"is no merges file: `format` is {shown(str(data.get('format')))}, not {FORMAT!r}",
            where=Where(path, places.line(("format",))),
            hint="`solon collect topics DIR -o MERGES.toml` writes one",
        )
    try:
        return MergeFile.model_validate(data)
    except ValidationError as error:
        faults = Faults(path)
        faults.add_refused(error, places, known=MergeFile.model_fields)
        try:
            faults.raise_any()
        except ConstitutionError as found:
            raise InputError(found.faults) from None
        raise


def _contradictions(path: Path, file: MergeFile, places: Places) -> Iterator[Fault]:
    merged: dict[int, str] = {}
    ids: set[str] = set()
    for index, merge in enumerate(file.merge):
        where = Where(path, places.line(("merge", index, "id")))
        if merge.id in ids:
            yield Fault(f"the id `{merge.id}` is used twice", where, "give each merge an id of its own")
        ids.add(merge.id)
        if merge.decision == "yes":
            yield from _accepted(merge, merged, where)
    seen: set[int] = set()
    for index, one in enumerate(file.wording):
        where = Where(path, places.line(("wording", index, "statement")))
        if one.statement in seen:
            yield Fault(f"statement {one.statement} has two wordings", where, "keep one of them")
        seen.add(one.statement)
        if one.decision == "yes" and not one.wording.strip():
            yield Fault(f"the wording of statement {one.statement} is empty", where, "write it, or decide `no`")
        if one.decision == "no" and one.statement in merged:
            what = f"statement {one.statement} is left out here and merged in `{merged[one.statement]}`"
            yield Fault(what, where, "decide for one of the two")


def _accepted(merge: Merge, merged: dict[int, str], where: Where) -> Iterator[Fault]:
    """What is wrong with a merge that somebody said yes to; notes its statements in `merged`."""
    numbers = [cited.id for cited in merge.statements]
    if len(set(numbers)) < 2:
        hint = "add one, or decide `no`"
        yield Fault(f"merge `{merge.id}` has a single statement, which there is nothing to merge with", where, hint)
    if not merge.wording.strip():
        yield Fault(f"merge `{merge.id}` has no wording", where, "say what the merged idea is")
    for number in dict.fromkeys(numbers):
        if number in merged:
            what = f"statement {number} is merged twice, in `{merged[number]}` and in `{merge.id}`"
            yield Fault(what, where, "take it out of one of them, or make them one merge")
        merged[number] = merge.id
