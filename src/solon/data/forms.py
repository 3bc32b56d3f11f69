"""From the forms that rows have to prompts and answers. Which are read, and in which order, is in
docs/formats/prompts.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile

from solon.data.columns import likely_prompt, no_answer, no_prompt
from solon.data.faults import Fields, Malformed, Unusable
from solon.data.labels import is_good
from solon.data.turns import field_text, in_order, is_transcript, messages, role_of, single, transcript, turns_of
from solon.records import Turn

_PROMPTS = ("prompt", "turns")
"""Dialogues that end with the human turn to be answered."""
_DIALOGUES = ("messages", "conversations", "transcript")
"""Dialogues that may go on with an answer."""
_SIDES = (("chosen", "rejected"), ("a", "b"))
"""Two answers, compared."""
_ANSWERS = ("response", "completion")
"""One answer, worth imitating."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """A prompt alone, with one answer, worth imitating, or with two, compared."""

    turns: tuple[Turn, ...]
    answers: tuple[str, ...]
    first: str | None = None
    """Which field the first of two comes from: `chosen` or `a`."""


def prompt_of(fields: Fields) -> tuple[Turn, ...]:
    """The dialogue of a row, up to the human turn to be answered.

    Raises `Malformed` if there is none, or it has the wrong shape; `Unusable` if a transcript cannot be used.
    """
    if "chosen" in fields and not _is_asked(fields):
        return _with_system(_before_the_answer(fields), fields)
    return _asked(fields)


def answers_of(fields: Fields) -> Answers:
    """The prompt and answers of a row. Raises as `prompt_of` does, and `Unusable` if nothing can be learned."""
    found = _answers(fields)
    if not all(found.answers):
        raise Unusable("empty answer")
    if len(found.answers) == 2 and found.answers[0] == found.answers[1]:
        raise Unusable("identical answers")
    return found


def _answers(fields: Fields) -> Answers:
    one = next((name for name in _ANSWERS if name in fields), None)
    for sides in _SIDES:
        # A table of both kinds of rows has empty cells for the kind that a row is not.
        if all(name in fields for name in sides) and (one is None or any(fields[name] for name in sides)):
            return _compared(fields, sides)
    if one is not None:
        whole = isinstance(fields[one], list) and _is_whole(fields, one)
        return _demonstration(fields, _dialogue(fields, one, None if whole else _asked(fields)))
    for name in _DIALOGUES:
        if name in fields:
            return _demonstration(fields, _with_system(turns_of(fields[name], name), fields))
    if str(fields.get("kind")).strip() == "benign" and any(name in fields for name in _PROMPTS):
        return Answers(turns=_asked(fields), answers=())  # said aloud: else an answer under another name would be lost
    raise no_answer(fields, asked=_is_asked(fields))


def _demonstration(fields: Fields, turns: tuple[Turn, ...]) -> Answers:
    if not is_good(fields):
        raise Unusable("answer labelled as bad")
    if turns[-1].role != "assistant":
        raise Unusable("no last answer")
    return Answers(turns=turns[:-1], answers=(turns[-1].text,))


def _compared(fields: Fields, sides: tuple[str, str]) -> Answers:
    whole = [_is_whole(fields, name) for name in sides]
    asked: tuple[Turn, ...] = ()
    if not all(whole):
        if not _is_asked(fields):
            fields = {**fields, **_parted(fields, sides)}
        # A text beside an answer is an answer too, whatever it begins with.
        whole = [one and isinstance(fields[name], list) for one, name in zip(whole, sides, strict=True)]
        asked = _asked(fields)
    one, two = (_dialogue(fields, name, None if held else asked) for name, held in zip(sides, whole, strict=True))
    if one[-1].role != "assistant" or two[-1].role != "assistant":
        raise Unusable("no last answer")
    if one[:-1] != two[:-1]:
        raise Unusable("the two dialogues differ before the last answer")
    return Answers(turns=one[:-1], answers=(one[-1].text, two[-1].text), first=sides[0])


def _dialogue(fields: Fields, name: str, asked: tuple[Turn, ...] | None) -> tuple[Turn, ...]:
    """The prompt and what this field answers to it. `asked`: the prompt; None where the field holds it too."""
    value = fields[name]
    if isinstance(value, list | dict):
        turns = messages(value if isinstance(value, list) else [value], name)
        turns = _with_system(in_order(turns, name), fields) if asked is None else in_order((*asked, *turns), name)
        if not all(turn.text for turn in turns[:-1]):
            raise Malformed(f'"{name}" has an empty turn')
        return turns
    if asked is None:
        return _with_system(transcript(str(value)), fields)
    return (*asked, Turn(role="assistant", text=field_text(value, name)))


def _is_whole(fields: Fields, name: str) -> bool:
    """Does this field begin with the prompt, and not with the answer?"""
    value = fields[name]
    if isinstance(value, list):
        turns = messages(value, name) if value else ()
        return bool(turns) and turns[0].role != "assistant"
    return isinstance(value, str) and is_transcript(value)


def _is_asked(fields: Fields) -> bool:
    """Has the row a field for the prompt?"""
    return any(name in fields for name in (*_PROMPTS, *_DIALOGUES))


def _asked(fields: Fields) -> tuple[Turn, ...]:
    """The dialogue in the row's field for it."""
    for name in (*_PROMPTS, *_DIALOGUES):
        if name in fields:
            turns = _with_system(turns_of(fields[name], name), fields)
            if turns[-1].role == "human":
                return turns
            if name in _DIALOGUES:
                return turns[:-1]
            raise Malformed("the dialogue ends with the assistant", "end it with the human turn to be answered")
    hint = 'give "prompt", "turns" or "messages", or say which column it is: --column prompt=NAME'
    raise no_prompt(fields, (*_PROMPTS, *_DIALOGUES), hint)


def _before_the_answer(fields: Fields) -> tuple[Turn, ...]:
    """What `chosen` answers, where it holds that too. (`rejected` may differ earlier.)"""
    chosen, rejected = fields["chosen"], fields.get("rejected")
    if isinstance(chosen, str) and isinstance(rejected, str) and not is_transcript(chosen):
        return turns_of(_parted(fields, ("chosen", "rejected"))["prompt"], "prompt")
    if not isinstance(chosen, str | list):
        raise Malformed('"chosen" must be a transcript', r'a text that begins with "\n\nHuman:", or a list of turns')
    turns = _dialogue(fields, "chosen", None)
    asked = turns if turns[-1].role == "human" else turns[:-1]
    if not asked[-1].text:
        raise Malformed('"chosen" has an empty turn')
    return asked


def _parted(fields: Fields, sides: tuple[str, str]) -> dict[str, str]:
    """Two texts without a prompt as prompt and answers: the words that both begin with are the prompt."""
    one, two = (fields[name] for name in sides)
    if isinstance(one, str) and isinstance(two, str) and likely_prompt(fields) is None:
        alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, two, strict=False)))
        shared = re.sub(r"\S+$", "", one[:alike])
        if shared.strip():
            return {"prompt": shared, sides[0]: one[len(shared) :], sides[1]: two[len(shared) :]}
    what = f'give "prompt"; else "{sides[0]}" and "{sides[1]}" must be dialogues, or begin with the same words'
    raise no_prompt(fields, (*_PROMPTS, *_DIALOGUES), what)


def _with_system(turns: tuple[Turn, ...], fields: Fields) -> tuple[Turn, ...]:
    """The dialogue with the row's own system text as its first turn."""
    given = _system(fields)
    if not given or turns[0] == Turn(role="system", text=given):
        return turns
    if turns[0].role == "system":
        raise Malformed('"system" and the system turn of the dialogue differ')
    return (Turn(role="system", text=given), *turns)


def _system(fields: Fields) -> str:
    """The field `system`, or the system turn of a prompt that stands beside whole dialogues."""
    if "system" in fields:
        return single(fields["system"], "system")
    prompt = fields.get("prompt")
    if isinstance(prompt, list) and prompt and role_of(prompt[0], "prompt") == "system":
        return "".join(turn.text for turn in messages(prompt[:1], "prompt"))
    return ""
