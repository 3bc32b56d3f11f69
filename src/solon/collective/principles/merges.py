"""The merges file: topics, proposed merges, and statements that may need better words, for a person to decide on; and
the ideas that its decisions make of statements.

It repeats every statement's text beside its id, so that it can be judged on its own and is refused for a conversation
in which the id means something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from solon.collective.conversation import Conversation, Statement
from solon.collective.csv_text import raise_faults, read_text, shown
from solon.collective.principles.selection import Reason
from solon.collective.tables import write_file
from solon.constitution.files import TomlFile
from solon.constitution.texts import Text, Word
from solon.errors import Fault, InputError, Where
from solon.records import Record
from solon.toml_text import toml, toml_lines

FORMAT = "solon-merges-1"
UNNAMED = "other"
"""A topic that no word tells apart."""
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
# order        Ids of ideas, each that of its first statement: their principles stand first, in this order, if they are
#              chosen at all. The others follow by consensus.
"""


class Citation(Record):
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
    statements: tuple[Citation, ...] = Field(min_length=1)
    """The first gives the principle its id."""
    taken_out: tuple[Citation, ...] = ()
    """Proposed, but taken out of the merge by a person."""
    note: str = ""


class Rewording(Record):
    """A statement that should be said in other words before it is put to a model."""

    statement: int
    decision: Decision = ""
    wording: str = ""
    text: str
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
    order: tuple[int, ...] = ()
    """Ideas whose principles stand first, in this order; the others follow by consensus."""
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
    order = [("order", list(file.order))] if file.order else []
    blocks = [HEADER + toml_lines([("format", file.format), ("made_by", file.made_by), *order])]
    for kind, those in (("merge", file.merge), ("wording", file.wording), ("topic", file.topic)):
        blocks += [f"[[{kind}]]\n" + "".join(_lines(key, value) for key, value in one) for one in those]
    return "\n".join(blocks)


def _lines(key: str, value: Any) -> str:
    """A key with its value; statements with their texts stand on a line each."""
    if key in ("note", "taken_out") and not value:
        return ""
    if isinstance(value, tuple) and isinstance(value[0], Citation):
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
    texts = {one.id: one.text for one in conversation.statements}
    cited: list[tuple[int, str | None, int | None]] = []
    for index, merge in enumerate(found.merge):
        begins = file.places.line(("merge", index, "statements"))
        cited += [(one.id, one.text, _line_of(one.id, file.text, begins)) for one in merge.statements]
    for index, one in enumerate(found.wording):
        cited.append((one.statement, one.text, file.places.line(("wording", index, "statement"))))
    for index, topic in enumerate(found.topic):
        cited += [(number, None, file.places.line(("topic", index, "statements"))) for number in topic.statements]
    cited += [(number, None, file.places.line(("order",))) for number in found.order]
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


@dataclass(frozen=True, kw_only=True)
class Idea:
    """One candidate for a principle."""

    id: int
    """Of the statement that stands first in the merge, or of the only one."""
    statement_ids: tuple[int, ...]
    text: str
    """What it says: a person's wording, or the statement's own text."""
    merge: str | None = None
    by_person: bool = False


@dataclass(frozen=True, kw_only=True)
class Ideas:
    """All candidates, and who voted how on each."""

    ideas: tuple[Idea, ...]
    conversation: Conversation
    """Its statements are the ideas, in their order; participants as before. Without a log."""
    left_out: Mapping[int, Reason]
    order: tuple[int, ...] = ()
    """As in the merges file."""


def ideas_of(conversation: Conversation, merges: MergeFile | None = None) -> Ideas:
    """The ideas of a conversation, following the decisions in a merges file that fits it.

    A merge holds for those of its statements that the conversation has. Who voted on several statements of an idea has
    one vote on it: agree if most of those votes are agrees over disagrees, disagree if it is the other way round, pass
    if they balance. So an idea's figures are of people, as a statement's are. With votes of +1, +1 and -1 on three
    merged statements, the vote on the idea is +1.
    """
    texts = {one.id: one.text for one in conversation.statements}
    file = merges or MergeFile(format=FORMAT)
    rewordings = {one.statement: one for one in file.wording if one.decision}
    left_out = {
        number: Reason(code="left-out-by-person", detail=one.note or "left out by a person in the merges file")
        for number, one in rewordings.items()
        if one.decision == "no" and number in texts
    }
    alone = set(texts) - set(left_out)
    ideas: list[Idea] = []
    for merge in file.merge:
        members = [cited.id for cited in merge.statements if cited.id in texts]
        if merge.decision == "yes" and members:
            alone -= set(members)
            numbers, by_person = tuple(sorted(set(members))), merge.wording.strip() != merge.statements[0].text.strip()
            ideas.append(
                Idea(id=members[0], statement_ids=numbers, text=merge.wording, merge=merge.id, by_person=by_person)
            )
    for number in alone:
        said = rewordings.get(number)
        text = said.wording if said else texts[number]
        ideas.append(Idea(id=number, statement_ids=(number,), text=text, by_person=said is not None))
    ideas.sort(key=lambda idea: idea.id)
    return Ideas(ideas=tuple(ideas), conversation=_counted(conversation, ideas), left_out=left_out, order=file.order)


def _counted(conversation: Conversation, ideas: Iterable[Idea]) -> Conversation:
    column = {number: at for at, number in enumerate(conversation.statement_ids.tolist())}
    places = [[column[number] for number in idea.statement_ids] for idea in ideas]
    seen_PI = np.zeros((len(conversation.participants), len(places)), dtype=bool)
    votes_PI = np.zeros(seen_PI.shape, dtype=np.int8)
    for at, columns in enumerate(places):
        seen_PI[:, at] = conversation.seen_PS[:, columns].any(axis=1)
        # Votes not cast are 0, as passes are, so they leave the sum alone.
        votes_PI[:, at] = np.sign(conversation.votes_PS[:, columns].sum(axis=1, dtype=np.int64))
    statements = tuple(Statement(id=idea.id, text=idea.text) for idea in ideas)
    return Conversation(
        statements=statements,
        participants=conversation.participants,
        votes_PS=votes_PI,
        seen_PS=seen_PI,
        topic=conversation.topic,
        source=conversation.source,
    )
