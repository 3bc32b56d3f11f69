"""Dialogues as text: the paper's Human/Assistant format, or a tokenizer's chat template.

The text is literal: every mark that the model reads is in it, the beginning mark included, so it is tokenized as it
stands and nothing is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from solon.constitution.few_shots import CritiqueShot
from solon.prompting.guard import Guard
from solon.records import Role, Turn

HUMAN = "\n\nHuman:"
ASSISTANT = "\n\nAssistant:"
CRITIQUE_REQUEST = "\n\nCritiqueRequest:"
CRITIQUE = "\n\nCritique:"
REVISION_REQUEST = "\n\nRevisionRequest:"
REVISION = "\n\nRevision:"
MESSAGE_ROLES: dict[Role, str] = {"system": "system", "human": "user", "assistant": "assistant"}
"""Roles of turns, and what chat templates and message lists call them."""
DELIMITERS = (HUMAN, ASSISTANT, CRITIQUE_REQUEST, CRITIQUE, REVISION_REQUEST, REVISION)
"""Any of these in an answer ends it: it belongs to the format, not to the speaker (CAI appendix, data files)."""


class DialogueFormat(Protocol):
    """How one model wants a dialogue written. A system turn comes first; without one, the format's own is taken."""

    @property
    def stop(self) -> tuple[str, ...]:
        """Strings that end an answer."""

    @property
    def end(self) -> str:
        """The mark that ends an answer, as the tokenizer reads it; "" if there is none."""

    @property
    def guard(self) -> Guard:
        """Keeps what people and models say from being read as the format's own marks."""

    def notes(self, *, system: bool) -> tuple[str, ...]:
        """Where prompts depart from what the tokenizer would write; `system`: dialogues may have a system turn."""

    def prompt(self, turns: Sequence[Turn]) -> str:
        """The dialogue up to the point where the assistant speaks; `turns` ends with the human."""

    def answer(self, text: str, *, finished: bool = True) -> str:
        """An answer as it follows `prompt`, up to and including the end mark; one cut off has none."""

    def critique(self, turns: Sequence[Turn], answer: str, request: str, *, shots: Sequence[CritiqueShot] = ()) -> str:
        """Up to the point where the critique of `answer` is written. `shots` are worked examples that come first."""

    def revision(
        self,
        turns: Sequence[Turn],
        answer: str,
        request: str,
        *,
        critique: tuple[str, str] | None,
        shots: Sequence[CritiqueShot] = (),
    ) -> str:
        """Up to the point where the revision is written. `critique`: (critique request, critique), None when direct;
        the shots then come without their critiques as well."""


_DELIMITERS_ALONE = Guard(DELIMITERS)


@dataclass(frozen=True, kw_only=True)
class HumanAssistant:
    """The format of CAI and its published files: delimiters on their own paragraph, a space before every text.

    A system turn stands before the first human turn, without a delimiter: the format has no place for it.
    """

    begin: str = ""
    """The tokenizer's beginning mark, where it puts one."""
    end: str = ""
    guard: Guard = _DELIMITERS_ALONE
    system: str = ""
    stop: tuple[str, ...] = DELIMITERS

    def notes(self, *, system: bool) -> tuple[str, ...]:
        return ("a system turn stands before the first human turn, without a delimiter",) if system else ()

    def prompt(self, turns: Sequence[Turn]) -> str:
        return self.opening(turns) + self._asked(turns)

    def answer(self, text: str, *, finished: bool = True) -> str:
        return f" {self.guard(text)}{self.end if finished else ''}"

    def critique(self, turns: Sequence[Turn], answer: str, request: str, *, shots: Sequence[CritiqueShot] = ()) -> str:
        worked = "".join(self._worked(shot, with_critique=True) for shot in shots)
        task = f"{self._asked(turns)} {self.guard(answer)}{CRITIQUE_REQUEST} {self.guard(request)}{CRITIQUE}"
        return self.opening(turns) + worked + task

    def revision(
        self,
        turns: Sequence[Turn],
        answer: str,
        request: str,
        *,
        critique: tuple[str, str] | None,
        shots: Sequence[CritiqueShot] = (),
    ) -> str:
        worked = "".join(self._worked(shot, with_critique=critique is not None) for shot in shots)
        return self.opening(turns) + worked + self._revised(turns, answer, request, critique)

    def opening(self, turns: Sequence[Turn] = ()) -> str:
        """Beginning mark and system turn."""
        return self.begin + self.guard(system_of(turns) or self.system)

    def _asked(self, turns: Sequence[Turn]) -> str:
        names = {"human": HUMAN, "assistant": ASSISTANT}
        spoken = without_system(turns)
        return "".join(f"{names[turn.role]} {self.guard(turn.text)}" for turn in spoken) + ASSISTANT

    def _revised(self, turns: Sequence[Turn], answer: str, request: str, critique: tuple[str, str] | None) -> str:
        told = ("", "") if critique is None else (self.guard(critique[0]), self.guard(critique[1]))
        middle = "" if critique is None else f"{CRITIQUE_REQUEST} {told[0]}{CRITIQUE} {told[1]}"
        return f"{self._asked(turns)} {self.guard(answer)}{middle}{REVISION_REQUEST} {self.guard(request)}{REVISION}"

    def _worked(self, shot: CritiqueShot, *, with_critique: bool) -> str:
        """One example. It starts with a human turn, so it ends the one before it (CAI appendix E.1)."""
        critique = (shot.critique_request, shot.critique) if with_critique else None
        revised = self._revised(shot.turns, shot.answer, shot.revision_request, critique)
        return f"{revised} {self.guard(shot.revision)}"


def system_of(turns: Sequence[Turn]) -> str:
    """The text of the system turn, "" without one."""
    return turns[0].text if turns and turns[0].role == "system" else ""


def with_system(turns: Sequence[Turn], text: str) -> tuple[Turn, ...]:
    """The turns behind a system turn of this text; as they are if they have one, or the text is empty."""
    return tuple(turns) if system_of(turns) or not text else (Turn(role="system", text=text), *turns)


def without_system(turns: Sequence[Turn]) -> Sequence[Turn]:
    """The turns of human and assistant."""
    return turns[1:] if turns and turns[0].role == "system" else turns
