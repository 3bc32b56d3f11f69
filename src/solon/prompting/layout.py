"""What a chat template writes around the texts of a dialogue, found out by rendering one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from solon.errors import ModelError
from solon.records import Turn

Render = Callable[[Sequence[Turn], bool], str]
"""(turns, whether the assistant is asked to speak) -> text."""

_SYSTEM = "SolonProbeSystem"
_ASK, _SAY, _MORE, _END = _PROBES = ("SolonProbeAsk", "SolonProbeSay", "SolonProbeMore", "SolonProbeEnd")
_DIALOGUE = tuple(Turn(role=("human", "assistant")[place % 2], text=text) for place, text in enumerate(_PROBES))
_OPEN_THOUGHT, _CLOSED_THOUGHT = "<think>", "</think>"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The text between the texts."""

    requested: str
    """What the template writes after the last question to ask for an answer."""
    opening: str
    """What is to stand there instead. The same, unless the template's own dialogues have something else there."""
    lead: str
    """Spaces before an answer; they belong to its first token."""
    close: str
    """What follows an answer, up to and including its end mark."""
    end: str
    """The end mark; "" if there is none."""
    takes_system: bool
    """Whether the template has a place for a system turn."""
    marks: tuple[str, ...]
    """What it writes between turns in plain text, e.g. `[INST]`."""
    note: str | None
    """How `opening` departs from `requested`."""


def find_layout(render: Render, controls: Sequence[str], eos: str | None) -> Layout:
    """The layout behind `render`. Raises `ModelError` if what is said does not appear in what is written."""
    whole, asked = render(_DIALOGUE, False), render(_DIALOGUE[:-1], True)
    if any(probe not in whole for probe in _PROBES) or _MORE not in asked:
        raise ModelError("the tokenizer's chat template leaves out what is said")
    own, requested = _between(whole, _MORE, _END), asked.rpartition(_MORE)[2]
    opening, lead, note = _opening(own, requested)
    close, end = _ending(whole.rpartition(_END)[2], controls, eos)
    told = _with_system(render)
    between = [_between(whole, _ASK, _SAY), _between(whole, _SAY, _MORE), own, *(told or ())]
    return Layout(
        requested=requested,
        opening=opening,
        lead=lead,
        close=close,
        end=end,
        takes_system=told is not None,
        marks=tuple(dict.fromkeys(mark for text in between for mark in _plain_marks(text, controls))),
        note=note,
    )


def _opening(own: str, requested: str) -> tuple[str, str, str | None]:
    """(opening, lead, note). `own`: what stands before an answer in a whole dialogue."""
    if requested.rfind(_OPEN_THOUGHT) > requested.rfind(_CLOSED_THOUGHT):
        note = "the chat template begins every answer with a thought; it is closed, empty, before the answer"
        return f"{requested.rstrip()}\n\n{_CLOSED_THOUGHT}\n\n", "", note
    if own == requested:
        return requested, "", None
    opening = own.rstrip(" ")
    lead = own[len(opening) :]
    if opening == requested or own.startswith(requested):
        return opening, lead, None
    note = f"the chat template asks with {requested!r}, but has {own!r} before an answer; the latter is used"
    return opening, lead, note


def _ending(after: str, controls: Sequence[str], eos: str | None) -> tuple[str, str]:
    """(close, end mark): the first control token after the last answer, else the text there, else the tokenizer's."""
    found = _any_of(controls).search(after)
    if found is not None:
        return after[: found.end()], found[0]
    written = after.strip()
    return (after.rstrip(), written) if written else (eos or "", eos or "")


def _with_system(render: Render) -> tuple[str, str] | None:
    """What stands before and after a system turn; None if the template has no place for one."""
    try:
        text = render((Turn(role="system", text=_SYSTEM), *_DIALOGUE[:1]), True)
    except ModelError:
        return None
    before, found, after = text.partition(_SYSTEM)
    return (before, after.partition(_ASK)[0]) if found and _ASK in after else None


def _plain_marks(text: str, controls: Sequence[str]) -> Iterator[str]:
    """Lines between control tokens that no ordinary sentence would hold; a role's bare name is no mark."""
    for line in _any_of([*controls, "\n"]).split(text):
        mark = line.strip()
        if any(map(str.isalnum, mark)) and not mark.replace(" ", "").isalnum():
            yield mark


def _between(text: str, first: str, second: str) -> str:
    return text.partition(first)[2].partition(second)[0]


def _any_of(marks: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(marks, key=len, reverse=True))) or r"(?!)")
