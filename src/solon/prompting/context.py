"""What any model is asked to continue: who said what, who speaks next, and how the reply begins.

An engine that renders text writes it in the dialogue format of its model; a chat endpoint takes it as messages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from solon.constitution.few_shots import CritiqueShot
from solon.records import Role, Turn

Speaker = Role | Literal["critique request", "critique", "revision request", "revision"]
"""The last four are those of CAI section 3.1; a chat model knows them as further turns of human and assistant."""


class Message(NamedTuple):
    """What one speaker says."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, kw_only=True)
class Context:
    """Messages, and the beginning of a reply to them. Without messages, the prefill alone: plain text to continue."""

    messages: tuple[Message, ...] = ()
    """A system message, if any, comes first."""
    reply: Speaker = "assistant"
    """Who speaks next."""
    prefill: str = ""
    """Literal: what it quotes must be guarded already."""

    @property
    def system(self) -> str:
        """The text of the system message, "" without one."""
        return self.messages[0].text if self.messages and self.messages[0].speaker == "system" else ""

    @property
    def texts(self) -> tuple[str, ...]:
        """All of it, one after the other: what it says by whom, who replies, and how the reply begins. Its digest
        tells contexts apart whatever dialogue format they are written in."""
        return (*(part for message in self.messages for part in message), self.reply, self.prefill)

    @property
    def spoken(self) -> tuple[Message, ...]:
        """The messages without the system's."""
        return self.messages[1:] if self.messages and self.messages[0].speaker == "system" else self.messages


def digest(*texts: str) -> str:
    """sha256 of texts one after the other, first 16 hex digits: it tells what was asked apart, and keeps rows short."""
    return hashlib.sha256("\x1f".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def dialogue(turns: Iterable[Turn]) -> Context:
    """The assistant is to answer."""
    return Context(messages=_said(turns))


def critique(turns: Sequence[Turn], answer: str, request: str, *, shots: Sequence[CritiqueShot] = ()) -> Context:
    """`answer` is to be criticised. `shots` are worked examples that come first."""
    asked = (*_said(turns), Message("assistant", answer), Message("critique request", request))
    return Context(messages=_after(shots, asked, with_critique=True), reply="critique")


def revision(
    turns: Sequence[Turn],
    answer: str,
    request: str,
    *,
    critique: tuple[str, str] | None,
    shots: Sequence[CritiqueShot] = (),
) -> Context:
    """`answer` is to be revised. `critique`: (critique request, critique), None when direct; the shots then come
    without their critiques as well."""
    asked = (*_said(turns), *_revised(answer, request, critique))
    return Context(messages=_after(shots, asked, with_critique=critique is not None), reply="revision")


def _said(turns: Iterable[Turn]) -> tuple[Message, ...]:
    return tuple(Message(turn.role, turn.text) for turn in turns)


def _revised(answer: str, request: str, critique: tuple[str, str] | None) -> tuple[Message, ...]:
    middle = () if critique is None else (Message("critique request", critique[0]), Message("critique", critique[1]))
    return (Message("assistant", answer), *middle, Message("revision request", request))


def _after(shots: Sequence[CritiqueShot], asked: tuple[Message, ...], *, with_critique: bool) -> tuple[Message, ...]:
    """Worked examples before a dialogue, behind its system turn. An example starts with a human turn, so it ends the
    one before it (CAI appendix E.1)."""
    worked: list[Message] = []
    for shot in shots:
        critique = (shot.critique_request, shot.critique) if with_critique else None
        worked += _said(turn for turn in shot.turns if turn.role != "system")
        worked += [*_revised(shot.answer, shot.revision_request, critique), Message("revision", shot.revision)]
    start = 1 if asked[0].speaker == "system" else 0
    return (*asked[:start], *worked, *asked[start:])
