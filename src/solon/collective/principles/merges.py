"""The merges file: topics, proposed merges, and statements that may need better words, for a person to decide on.

Nothing in it counts before a person has written `yes` or `no`, in an editor or through `solon collect merge`. The file
repeats every statement's text beside its id, so that it can be judged on its own and is refused for a conversation in
which the id means something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from solon.collective.conversation import Conversation
from solon.collective.tables import raise_faults, read_text, shown, write_file
from solon.constitution.texts import Text, Word
from solon.constitution.toml_file import TomlFile
from solon.errors import Fault, InputError, Where
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
    for kind, those in (("merge", file.merge), ("wording", file.wording), ("topic", file.topic)):
        blocks += [f"[[{kind}]]\n" + "".join(_lines(key, value) for key, value in one) for one in those]
    return "\n".join(blocks)


def _lines(key: str, value: Any) -> str:
    """A key with its value; statements with their texts stand on a line each."""
    if key in ("note", "taken_out") and not value:
        return ""
    if isinstance(value, tuple) and isinstance(value[0], Cited):
        cited = "".join(f"  {{ id = {one.id}, text = {toml(one.text)} }},\n" for one in value)
        return f"{key} = [\n{cited}]\n"
    return toml_lines([(key, value)])


def write_merges(path: Path, file: MergeFile) -> None:
    """Whole or not at all. Raises InputError if it cannot be written there."""
    write_file(path, merges_toml(file).encode("utf-8"))


def read_merges(path: Path, conversation: Conversation | None = None) -> MergeFile:
    """Reads a merges file, which has to cite statements as the conversation has them, if one is given.

    Raises InputError with every fault and its line.
    """
    text = read_text(path)
    found = parsed_merges(path, text)
    if conversation is not None:
        raise_faults([*_strangers(TomlFile(path, text, what="a merges file"), found, conversation)], path)
    return found


def parsed_merges(path: Path, text: str) -> MergeFile:
    """The merges file at `path`, whose text this is. Raises InputError with every fault and its line."""
    file = TomlFile(path, text, what="a merges file", error=InputError)
    if file.data.get("format") != FORMAT:
        raise InputError(
            f"is no merges file: `format` is {shown(str(file.data.get('format')))}, not {FORMAT!r}",
            where=Where(path, file.places.line(("format",))),
            hint="`solon collect topics DIR -o MERGES.toml` writes one",
        )
    found = file.checked(MergeFile, file.data)
    if found is not None:
        _note_contradictions(file, found)
    file.raise_any()
    assert found is not None, "its faults were raised"
    return found


def _strangers(file: TomlFile, found: MergeFile, conversation: Conversation) -> Iterator[Fault]:
    """Of the statements that the conversation does not have in these words."""
    texts = {one.id: one.text for one in conversation.statements}
    cited: list[tuple[int, str | None, int | None]] = []
    for index, merge in enumerate(found.merge):
        begins = file.places.line(("merge", index, "statements"))
        cited += [(one.id, one.text, _line_of(one.id, file.text, begins)) for one in merge.statements]
    for index, one in enumerate(found.wording):
        cited.append((one.statement, one.text, file.places.line(("wording", index, "statement"))))
    for index, topic in enumerate(found.topic):
        cited += [(number, None, file.places.line(("topic", index, "statements"))) for number in topic.statements]
    hint = "the file belongs to another conversation, or was edited; make it again with `solon collect topics`"
    for number, text, line in cited:
        if number not in texts:
            yield Fault(f"the conversation has no statement {number}", Where(file.path, line), hint)
        elif text not in (None, texts[number]):
            what = f"statement {number} reads {shown(texts[number])} in the conversation"
            yield Fault(what, Where(file.path, line), hint)


def _line_of(number: int, text: str, begins: int) -> int:
    """The line of the list that begins at a line which cites this statement; the list's own line if none does."""
    lines = enumerate(text.split("\n")[begins - 1 :], start=begins)
    return next((line for line, said in lines if re.search(rf"\bid\s*=\s*\+?{number}\b", said)), begins)


def _note_contradictions(file: TomlFile, found: MergeFile) -> None:
    merged: dict[int, str] = {}
    ids: set[str] = set()
    for index, merge in enumerate(found.merge):
        if merge.id in ids:
            what = f"the id `{merge.id}` is used twice"
            file.fault(what, "merge", index, "id", hint="give each merge an id of its own")
        ids.add(merge.id)
        if merge.decision == "yes":
            for what, hint in _accepted(merge, merged):
                file.fault(what, "merge", index, "id", hint=hint)
    seen: set[int] = set()
    for index, one in enumerate(found.wording):
        key, number = ("wording", index, "statement"), one.statement
        if number in seen:
            file.fault(f"statement {number} has two wordings", *key, hint="keep one of them")
        seen.add(number)
        if one.decision == "yes" and not one.wording.strip():
            file.fault(f"the wording of statement {number} is empty", *key, hint="write it, or decide `no`")
        if one.decision == "no" and number in merged:
            what = f"statement {number} is left out here and merged in `{merged[number]}`"
            file.fault(what, *key, hint="decide for one of the two")


def _accepted(merge: Merge, merged: dict[int, str]) -> Iterator[tuple[str, str]]:
    """What is wrong with a merge that somebody said yes to, and what to do; notes its statements in `merged`."""
    numbers = dict.fromkeys(cited.id for cited in merge.statements)
    if len(numbers) < 2:
        what = f"merge `{merge.id}` has a single statement, which there is nothing to merge with"
        yield what, "add one, or decide `no`"
    if not merge.wording.strip():
        yield f"merge `{merge.id}` has no wording", "say what the merged idea is"
    for number in numbers:
        if number in merged:
            what = f"statement {number} is merged twice, in `{merged[number]}` and in `{merge.id}`"
            yield what, "take it out of one of them, or make them one merge"
        merged[number] = merge.id
