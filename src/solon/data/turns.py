"""From the shapes people write dialogues in to turns."""

from __future__ import annotations

import hashlib
import json
import re
import reprlib
from collections.abc import Sequence

from solon.data.faults import Malformed, Unusable
from solon.prompting.dialogue import ASSISTANT, HUMAN
from solon.records import PromptKind, Role, Turn, order_fault

ROLES: dict[str, Role] = {
    **dict.fromkeys(("human", "user", "prompter"), "human"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bot", "model", "bing", "bard"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
}
_BEGINNING = re.compile(r"(Human|Assistant):")
_PARAGRAPHS = re.compile(r"(?:^|\n\n)(Human|Assistant):")
_LINES = re.compile(r"(?:^|\n)(Human|Assistant):")
_LIST_AS_TEXT = re.compile(
    r"""\s*\[\s*\{\s*(?:(["'])(?:text|content|value)\1\s*:.*,\s*)?(["'])(?:role|from)\2\s*:""", re.DOTALL
)
"""How a list of turns begins as JSON, or as Python and NumPy print it."""


def turns_of(value: object, name: str) -> tuple[Turn, ...]:
    """The dialogue in a field: a transcript, one human turn as text, or a list of turns.

    Raises `Malformed` if it has another shape, or a list has its speakers out of order; `Unusable` if a transcript has.
    """
    if not isinstance(value, str):
        turns = in_order(messages(value, name), name)
    elif is_transcript(value) or (name == "transcript" and value.strip()):
        return transcript(value)
    else:
        turns = (Turn(role="human", text=field_text(value, name)),)
    if not all(turn.text for turn in turns):
        raise Malformed(f'"{name}" is empty' if isinstance(value, str) else f'"{name}" has an empty turn')
    return turns


def messages(value: object, name: str) -> tuple[Turn, ...]:
    """A list of turns in any order; texts may be empty, but an empty system turn is none. Raises `Malformed`."""
    if not isinstance(value, list):
        raise Malformed(f'"{name}" must be text or a list of turns')
    if not value:
        raise Malformed(f'"{name}" is empty')
    turns = (_turn(item, name) for item in value)
    return tuple(turn for turn in turns if turn.text or turn.role != "system")


def in_order(turns: tuple[Turn, ...], name: str) -> tuple[Turn, ...]:
    """The same turns. Raises `Malformed` if their speakers do not follow each other as they must."""
    if fault := dialogue_fault(turns):
        raise Malformed(f'"{name}": {fault}')
    return turns


def transcript(text: str) -> tuple[Turn, ...]:
    """The turns of a text in the Human/Assistant format, e.g. an hh-rlhf transcript.

    Turns begin with `Human:` or `Assistant:` at the beginning of a paragraph or, where no paragraph but the first
    begins so, of a line. Line ends may be \\r\\n. A last `Assistant:` with nothing after it only asks for the answer,
    and is no turn. Raises `Malformed` if the text does not begin with a turn, `Unusable` if a turn is empty or two of
    one speaker follow each other, which happens in the published data.
    """
    text = text.replace("\r\n", "\n").strip()
    pieces = _PARAGRAPHS.split(text)
    if len(pieces) == 3:
        pieces = _LINES.split(text)
    if len(pieces) < 3 or pieces[0]:
        raise Malformed("not a transcript", r"it must begin with \n\nHuman:")
    spoken = [
        Turn(role=ROLES[name.lower()], text=clean(said)) for name, said in zip(pieces[1::2], pieces[2::2], strict=True)
    ]
    if spoken[-1].role == "assistant" and not spoken[-1].text:
        spoken.pop()
    if fault := dialogue_fault(spoken):
        raise Unusable(fault)
    if not all(turn.text for turn in spoken):
        raise Unusable("empty turn")
    return tuple(spoken)


def is_transcript(text: str) -> bool:
    """Does this text begin with a human's or assistant's delimiter?"""
    return _BEGINNING.match(text.lstrip()) is not None


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
    plain = text.replace("\r\n", "\n")
    for delimiter in (HUMAN, ASSISTANT):
        if delimiter in plain:
            raise Malformed(f'"{name}" holds {delimiter.strip()!r} inside one turn', 'give the dialogue as "turns"')
    return clean(text)


def field_text(value: object, name: str) -> str:
    """One speaker's text that is a whole field. Raises `Malformed` as `single` does, and for a list written as text."""
    if isinstance(value, str) and _LIST_AS_TEXT.match(value) and value.rstrip().endswith("]"):
        what = f'"{name}" holds a list of turns written as text'
        raise Malformed(what, "write JSON lines, in which it is a list", reason="a list of turns written as text")
    return single(value, name)


def dialogue_fault(turns: Sequence[Turn]) -> str | None:
    """What is wrong with the order of speakers, else None. The human is first, but for a system turn."""
    if next((turn.role for turn in turns if turn.role != "system"), None) != "human":
        return "the dialogue does not begin with the human"
    return order_fault(turns)


def digest(*parts: object) -> str:
    """sha256, first 12 hex digits, of anything JSON can hold."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:12]


def prompt_id(kind: PromptKind, turns: Sequence[Turn]) -> str:
    """An id that depends on the content alone, so identical prompts are recognised across files and rows."""
    return f"{kind}-{dialogue_id(turns)}"


def dialogue_id(turns: Sequence[Turn]) -> str:
    """The same for the same texts, whatever they are asked for."""
    return digest([[turn.role, turn.text] for turn in turns])


def role_of(item: object, name: str) -> Role:
    """Who speaks a turn of a list. Raises `Malformed`."""
    if not isinstance(item, dict):
        raise Malformed(f'"{name}" must be a list of turns', '{"role": "human", "text": "..."}')
    role = _first(item, ("role", "from"))
    known = ROLES.get(role.strip().lower()) if isinstance(role, str) else None
    if known is None:
        what = f'"{name}": unknown role {reprlib.repr(role)}'
        raise Malformed(what, "use human (user), assistant or system", reason="unknown role")
    return known


def _turn(item: dict[str, object], name: str) -> Turn:
    role = role_of(item, name)
    return Turn(role=role, text=single(_text(_first(item, ("text", "content", "value")), name), f"{name}.text"))


def _first(item: dict[str, object], keys: tuple[str, ...]) -> object:
    """The first of these that is there and not null."""
    for key in keys:
        if (value := item.get(key)) is not None:
            return value
    return None


def _text(content: object, name: str) -> object:
    """Content given in parts, as one text."""
    if not isinstance(content, list):
        return content
    if other := [part for part in content if not isinstance(part, dict) or part.get("type") != "text"]:
        kind = other[0].get("type") if isinstance(other[0], dict) else None
        what = f'"{name}" holds a part that is not text' + (f": {reprlib.repr(kind)}" if isinstance(kind, str) else "")
        raise Malformed(what, "models are given text alone here", reason="a part that is not text")
    parts = [part.get("text") for part in content]
    return "".join(parts) if all(isinstance(part, str) for part in parts) else None
