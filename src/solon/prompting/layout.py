"""What a chat template writes around the texts of a dialogue, found out by rendering one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from solon.errors import ModelError
from solon.prompting.guard import any_of
from solon.records import Turn

Render = Callable[[Sequence[Turn], bool], str]
"""(turns, whether the assistant is asked to speak) -> text. `skeleton.Skeleton` is one."""

_SYSTEM = "SolonProbeSystem"
_ASK, _SAY, _MORE, _END = _PROBES = ("SolonProbeAsk", "SolonProbeSay", "SolonProbeMore", "SolonProbeEnd")
_DIALOGUE = tuple(Turn(role=("human", "assistant")[place % 2], text=text) for place, text in enumerate(_PROBES))
_OPEN_THOUGHT, _CLOSED_THOUGHT = "<think>", "</think>"
_BRACKETED = re.compile(r"[<\[]{1,2}[^\s<>\[\]]+[>\]]{1,2}")
_SPEAKER = re.compile(r"(?:#+ ?)?\w+(?: \w+){0,2}:")


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
    own_system: str
    """The system turn that the template writes where a dialogue has none; "": it writes none."""
    marks: tuple[str, ...]
    """What it writes between turns in plain text, e.g. `[INST]`."""
    notes: tuple[str, ...]
    """How it departs from what the template would write."""


def find_layout(render: Render, controls: Sequence[str], eos: str | None) -> Layout:
    """The layout behind `render`."""
    whole, asked = render(_DIALOGUE, False), render(_DIALOGUE[:-1], True)
    own, requested = _between(whole, _MORE, _END), asked.rpartition(_MORE)[2]
    opening, lead, note = _opening(own, requested)
    turning = _between(whole, _SAY, _MORE)
    close, end = _ending(whole.rpartition(_END)[2], turning, controls, eos)
    told = _with_system(render)
    marks = [
        *(mark for text in (_between(whole, _ASK, _SAY), turning, own) for mark in _marks(text, controls)),
        *(mark for text in told or () for mark in _marks(text, controls, speakers=False)),
    ]
    notes = (note, _system_note(render, requested) if told is not None else None)
    return Layout(
        requested=requested,
        opening=opening,
        lead=lead,
        close=close,
        end=end,
        takes_system=told is not None,
        own_system=_own_system(asked.partition(_ASK)[0], told),
        marks=tuple(dict.fromkeys(marks)),
        notes=tuple(note for note in notes if note is not None),
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
    if opening == requested:
        return opening, lead, None
    if own.startswith(requested):
        added = opening.removeprefix(requested)
        return opening, lead, f"before an answer the chat template's dialogues have {added!r}; prompts end with it too"
    note = f"the chat template asks with {requested!r}, but has {own!r} before an answer; the latter is used"
    return opening, lead, note


def _ending(after: str, turning: str, controls: Sequence[str], eos: str | None) -> tuple[str, str]:
    """(close, end mark): the control tokens that adjoin the last answer, as far as they also stand between an answer
    and the next question; else the text there, else the tokenizer's."""
    start, adjoining = _adjoining(after, controls)
    if adjoining:
        pairs = zip(adjoining, _adjoining(turning, controls)[1], strict=False)
        both = [one for one, other in takewhile(lambda pair: pair[0] == pair[1], pairs)] or adjoining[:1]
        return after[:start] + "".join(both), both[-1]
    written = after.strip()
    return (after.rstrip(), written) if written else (eos or "", eos or "")


def _adjoining(text: str, controls: Sequence[str]) -> tuple[int, list[str]]:
    """Where the first control token stands, and which follow it with nothing between."""
    pattern = any_of(controls)
    found = pattern.search(text)
    start, tokens = (found.start() if found else 0), []
    while found is not None:
        tokens.append(found[0])
        found = pattern.match(text, found.end())
    return start, tokens


def _with_system(render: Render) -> tuple[str, str] | None:
    """What stands before and after a system turn; None if the template has no place for one."""
    try:
        text = render((Turn(role="system", text=_SYSTEM), *_DIALOGUE[:1]), True)
    except ModelError:
        return None
    before, found, after = text.partition(_SYSTEM)
    return (before, after.partition(_ASK)[0]) if found and _ASK in after else None


def _own_system(begun: str, told: tuple[str, str] | None) -> str:
    """`begun`: what stands before the first question of a dialogue without a system turn."""
    before, after = told or ("", "")
    if not before or len(begun) < len(before + after) or not begun.startswith(before) or not begun.endswith(after):
        return ""
    return begun[len(before) : len(begun) - len(after)].strip()


def _system_note(render: Render, requested: str) -> str | None:
    """Whether a dialogue with a system turn is still the same once it is answered."""
    turns = (Turn(role="system", text=_SYSTEM), *_DIALOGUE)
    asked = render(turns[:-1], True).removesuffix(requested)
    try:
        same = render(turns, False).startswith(asked)
    except ModelError:
        same = False
    moves = "the chat template has a system turn elsewhere, or nowhere, once the dialogue is answered"
    return None if same else f"{moves}; it stands where it is asked"


def _marks(text: str, controls: Sequence[str], *, speakers: bool = True) -> Iterator[str]:
    """Marks in plain text: `[INST]`, `<|user|>` and, if `speakers`, `USER:` or `### Response:` at the end of a line."""
    for line in any_of([*controls, "\n"]).split(text):
        yield from _BRACKETED.findall(line)
        if speakers and _SPEAKER.fullmatch(line.strip()):
            yield line.strip()


def _between(text: str, first: str, second: str) -> str:
    return text.partition(first)[2].partition(second)[0]
