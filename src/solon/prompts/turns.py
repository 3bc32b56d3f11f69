"""From the shapes people write dialogues in to turns."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from itertools import pairwise

from solon.prompting.dialogue import ASSISTANT, HUMAN
from solon.prompts.rows import Malformed, Unusable
from solon.records import PromptKind, Role, Turn

ROLES: dict[str, Role] = {"human": "human", "user": "human", "assistant": "assistant"}
_DELIMITER = re.compile(r"(?:^|\n\n)(Human|Assistant):")
_TURN_KEYS = ("prompt", "turns", "messages")


def dialogue(fields: dict[str, object]) -> tuple[Turn, ...]:
    """The dialogue of a row: its `prompt`, `turns` or `messages`, the first that it has.

    Raises `Malformed` if there is none or it has the wrong shape.
    """
    for key in _TURN_KEYS:
        if key in fields:
            return _from_value(fields[key], key)
    raise Malformed("no prompt", 'give "prompt", "turns" or "messages"')


def transcript(text: str) -> tuple[Turn, ...]:
    """The turns of a text in the Human/Assistant format, e.g. an hh-rlhf transcript.

    A last `Assistant:` with nothing after it only asks for the answer, and is not a turn. Raises `Malformed` if the
    text does not begin with a turn, `Unusable` if a turn is empty or two of one speaker follow each other, which
    happens in the published data.
    """
    text = text.strip()
    pieces = _DELIMITER.split(text)
    if len(pieces) < 3 or pieces[0]:
        raise Malformed("not a transcript", r"it must begin with \n\nHuman:")
    spoken = [
        Turn(role=ROLES[name.lower()], text=clean(said)) for name, said in zip(pieces[1::2], pieces[2::2], strict=True)
    ]
    if spoken[-1].role == "assistant" and not spoken[-1].text:
        spoken.pop()
    if fault := order_fault(spoken):
        raise Unusable(fault)
    if not all(turn.text for turn in spoken):
        raise Unusable("empty turn")
    return tuple(spoken)


def is_transcript(text: str) -> bool:
    """Does this text begin with a human's or assistant's delimiter?"""
    return _DELIMITER.match(text.lstrip()) is not None


def clean(text: str) -> str:
    """The text without surrounding white space. Raises `Malformed` if it cannot be written as UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Malformed("a broken Unicode escape: half of a surrogate pair") from error
    return text.strip()


def single(text: object, name: str) -> str:
    """One speaker's text from a field. Raises `Malformed` unless it is text without the format's own delimiters."""
    if not isinstance(text, str):
        raise Malformed(f'"{name}" must be text')
    for delimiter in (HUMAN, ASSISTANT):
        if delimiter in text:
            raise Malformed(f'"{name}" holds {delimiter.strip()!r} inside one turn', 'give the dialogue as "turns"')
    return clean(text)


def order_fault(turns: Sequence[Turn]) -> str | None:
    """What is wrong with the order of speakers, else None."""
    if not turns or turns[0].role != "human":
        return "the dialogue does not begin with the human"
    for before, after in pairwise(turns):
        if before.role == after.role:
            return f"two {after.role} turns in a row"
    return None


def digest(*parts: object) -> str:
    """sha256, first 12 hex digits, of anything JSON can hold."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:12]


def prompt_id(kind: PromptKind, turns: Sequence[Turn]) -> str:
    """An id that depends on the content alone, so identical prompts are recognised across files and rows."""
    return f"{kind}-{digest([[turn.role, turn.text] for turn in turns])}"


def _from_value(value: object, name: str) -> tuple[Turn, ...]:
    if isinstance(value, str):
        if is_transcript(value):
            return transcript(value)
        if not (text := single(value, name)):
            raise Malformed(f'"{name}" is empty')
        return (Turn(role="human", text=text),)
    if not isinstance(value, list):
        raise Malformed(f'"{name}" must be text or a list of turns')
    turns = [_turn(item, name) for item in value]
    if not turns:
        raise Malformed(f'"{name}" is empty')
    if fault := order_fault(turns):
        raise Malformed(f'"{name}": {fault}')
    return tuple(turns)


def _turn(item: object, name: str) -> Turn:
    if not isinstance(item, dict):
        raise Malformed(f'"{name}" must be a list of turns', '{"role": "human", "text": "..."}')
    role = item.get("role")
    if not isinstance(role, str) or role not in ROLES:
        hint = "put a system message into the first human turn" if role == "system" else f"use {', '.join(ROLES)}"
        raise Malformed(f'"{name}": unknown role {role!r}', hint)
    text = single(item.get("text", item.get("content")), f"{name}.text")
    if not text:
        raise Malformed(f'"{name}" has an empty turn')
    return Turn(role=ROLES[role], text=text)
