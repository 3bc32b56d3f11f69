"""A person's decisions on statements and proposals, one at a time: each gives a merges file with one thing changed.

None of them touches what people wrote: a statement is cited with its words, and what a person wrote stands beside them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from solon.collective.principles.languages import words_of
from solon.collective.principles.merges import (
    UNNAMED,
    Citation,
    Decision,
    Idea,
    Merge,
    MergeFile,
    NamedTopic,
    Rewording,
    merges_toml,
    parsed_merges,
)
from solon.collective.principles.wording import one_line
from solon.errors import InputError

NAME = Path("merges.toml")


def checked(file: MergeFile) -> MergeFile:
    """The file as it would be read again. Raises InputError where its decisions contradict each other."""
    return parsed_merges(NAME, merges_toml(file))


def worded(file: MergeFile, idea: Idea, own: Citation, words: str) -> MergeFile:
    """The idea in a person's words; in the words of the public again, where these are theirs or none.

    own: the statement that gives the idea its id.
    """
    words = _words(words, own.text)
    if idea.merge is not None:
        changed = (one.model_copy(update={"wording": words}) if one.id == idea.merge else one for one in file.merge)
        return file.model_copy(update={"merge": tuple(changed)})
    if words == own.text.strip():
        return quoted_as_is(file, own.id)
    return _with_wording(file, own, decision="yes", wording=words)


def left_out(file: MergeFile, own: Citation, note: str) -> MergeFile:
    """A statement that becomes no principle, and why."""
    return _with_wording(file, own, decision="no", note=one_line(note))


def quoted_as_is(file: MergeFile, number: int) -> MergeFile:
    """Nothing is decided on the words of a statement: it is quoted."""
    open_again = (
        one.model_copy(update={"decision": "", "note": "", "wording": one.text.strip()})
        if one.statement == number
        else one
        for one in file.wording
    )
    return file.model_copy(update={"wording": tuple(one for one in open_again if one.decision or one.why)})


def made_one(file: MergeFile, first: Idea, second: Idea, texts: dict[int, str]) -> MergeFile:
    """Two ideas as one, which has the id and the words of the first. Merges that they came from are in it."""
    others = [number for number in (*first.statement_ids, *second.statement_ids) if number != first.id]
    cited = tuple(Citation(id=number, text=texts[number]) for number in (first.id, *others))
    gone = {one for one in (first.merge, second.merge) if one is not None}
    stay = tuple(one for one in file.merge if one.id not in gone)
    one = Merge(id=_free(file), decision="yes", wording=first.text.strip(), statements=cited)
    return file.model_copy(update={"merge": (*stay, one)})


def decided(file: MergeFile, merge: str, decision: Decision, wording: str = "") -> MergeFile:
    """On a proposal, with the words of the idea. Raises InputError if there is no such proposal."""
    if merge not in {one.id for one in file.merge}:
        raise InputError(f"there is no proposal {merge}", hint="somebody may have decided it meanwhile; look again")
    changed = (
        one.model_copy(update={"decision": decision, "wording": _words(wording, one.statements[0].text)})
        if one.id == merge
        else one
        for one in file.merge
    )
    return file.model_copy(update={"merge": tuple(changed)})


def moved(file: MergeFile, standing: Sequence[int], idea: int, steps: int) -> MergeFile:
    """An idea so many places up (negative) or down among those that are chosen, which stand in this order."""
    others = [one for one in standing if one != idea]
    at = min(max(standing.index(idea) + steps, 0), len(others))
    order = (*others[:at], idea, *others[at:])
    later = tuple(one for one in file.order if one not in order)
    return file.model_copy(update={"order": order + later})


def renewed(before: MergeFile, proposed: MergeFile) -> MergeFile:
    """New proposals beside what was decided: nothing that somebody decided is asked again, or lost."""
    kept = [one for one in before.merge if one.decision]
    settled = [{cited.id for cited in (*one.statements, *one.taken_out)} for one in kept]
    new = [one for one in proposed.merge if not any({cited.id for cited in one.statements} <= ids for ids in settled)]
    file = before.model_copy(update={"merge": tuple(kept)})
    for one in new:
        numbered = one.model_copy(update={"id": _free(file)})
        file = file.model_copy(update={"merge": (*file.merge, numbered)})
    words = [one for one in before.wording if one.decision]
    known = {one.statement for one in words}
    wording = (*words, *(one for one in proposed.wording if one.statement not in known))
    return file.model_copy(update={"made_by": proposed.made_by, "topic": proposed.topic, "wording": wording})


def cited(file: MergeFile) -> set[int]:
    """Every statement that it names."""
    merged = (one.id for merge in file.merge for one in (*merge.statements, *merge.taken_out))
    topics = (number for topic in file.topic for number in topic.statements)
    return {*merged, *topics, *(one.statement for one in file.wording), *file.order}


def without(file: MergeFile, gone: Collection[int], texts: Mapping[int, str]) -> MergeFile:
    """Nothing is left of these statements, nor of words that a person found for them alone.

    texts: of the statements that are left. A topic that loses one keeps those words of its name that they have."""

    def stay(cited: tuple[Citation, ...]) -> tuple[Citation, ...]:
        return tuple(one for one in cited if one.id not in gone)

    merges = [
        one.model_copy(update={"statements": stay(one.statements), "taken_out": stay(one.taken_out)})
        for one in file.merge
        if one.statements[0].id not in gone
    ]
    topics = (_topic_without(one, gone, texts) for one in file.topic)
    return file.model_copy(
        update={
            "order": tuple(number for number in file.order if number not in gone),
            "merge": tuple(one for one in merges if len(one.statements) > 1),
            "wording": tuple(one for one in file.wording if one.statement not in gone),
            "topic": tuple(one for one in topics if one.statements),
        }
    )


def _topic_without(topic: NamedTopic, gone: Collection[int], texts: Mapping[int, str]) -> NamedTopic:
    left = tuple(number for number in topic.statements if number not in gone)
    if left == topic.statements:
        return topic
    said = {word for number in left for word in words_of(texts.get(number, ""))}
    known = [part for part in topic.name.split(", ") if (own := words_of(part)) and own <= said]
    return topic.model_copy(update={"statements": left, "name": ", ".join(known) or UNNAMED})


def _with_wording(
    file: MergeFile, own: Citation, *, decision: Decision, wording: str = "", note: str = ""
) -> MergeFile:
    before = next((one for one in file.wording if one.statement == own.id), None)
    entry = before or Rewording(statement=own.id, text=own.text)
    told = {"decision": decision, "wording": wording or entry.wording or own.text.strip(), "note": note}
    others = (one for one in file.wording if one.statement != own.id)
    return file.model_copy(update={"wording": (*others, entry.model_copy(update=told))})


def _words(said: str, own: str) -> str:
    """What a person said; the statement's own words where it is them or nothing, but for line breaks."""
    return own.strip() if one_line(said) in ("", one_line(own)) else one_line(said)


def _free(file: MergeFile) -> str:
    """An id that no merge has."""
    there = {one.id for one in file.merge}
    return next(name for at in range(len(there) + 1) if (name := f"merge-{at + 1}") not in there)
