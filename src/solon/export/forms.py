"""Dialogues as other trainers take them: lists of messages, or text in the Human/Assistant format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from solon.prompting.dialogue import MESSAGE_ROLES, HumanAssistant
from solon.records import Record, Turn

Form = Literal["conversational", "standard"]


class Message(Record):
    """One turn as chat templates and TRL call it."""

    role: str
    content: str


Content = tuple[Message, ...] | str
"""A part of a dialogue in either form."""


def prompt_in(form: Form, turns: Sequence[Turn]) -> Content:
    """The dialogue up to where the assistant speaks."""
    if form == "standard":
        return HumanAssistant().prompt(turns)
    return tuple(Message(role=MESSAGE_ROLES[turn.role], content=turn.text) for turn in turns)


def answer_in(form: Form, text: str) -> Content:
    """The answer to a prompt of the same form; the two joined are the dialogue."""
    if form == "standard":
        return HumanAssistant().answer(text)
    return (Message(role=MESSAGE_ROLES["assistant"], content=text),)
