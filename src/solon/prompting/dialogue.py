"""Dialogues as text: the paper's Human/Assistant format, or a tokenizer's chat template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from solon.constitution.few_shots import CritiqueShot
from solon.records import Turn

HUMAN = "\n\nHuman:"
ASSISTANT = "\n\nAssistant:"
CRITIQUE_REQUEST = "\n\nCritiqueRequest:"
CRITIQUE = "\n\nCritique:"
REVISION_REQUEST = "\n\nRevisionRequest:"
REVISION = "\n\nRevision:"
DELIMITERS = (HUMAN, ASSISTANT, CRITIQUE_REQUEST, CRITIQUE, REVISION_REQUEST, REVISION)
"""Any of these in an answer ends it: it belongs to the format, not to the speaker (CAI appendix, data files)."""


class DialogueFormat(Protocol):
    """How one model wants a dialogue written."""

    @property
    def stop(self) -> tuple[str, ...]:
        """Strings that end an answer."""

    def prompt(self, turns: Sequence[Turn]) -> str:
        """The dialogue up to the point where the assistant speaks; `turns` ends with the human."""

    def answer(self, text: str) -> str:
        """An answer as it follows `prompt`, without any end mark."""

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


class HumanAssistant:
    """The format of CAI and its published files: delimiters on their own paragraph, a space before every text."""

    stop = DELIMITERS

    def prompt(self, turns: Sequence[Turn]) -> str:
        names = {"human": HUMAN, "assistant": ASSISTANT}
        return "".join(f"{names[turn.role]} {turn.text}" for turn in turns) + ASSISTANT

    def answer(self, text: str) -> str:
        return f" {text}"

    def critique(self, turns: Sequence[Turn], answer: str, request: str, *, shots: Sequence[CritiqueShot] = ()) -> str:
        task = f"{self.prompt(turns)} {answer}{CRITIQUE_REQUEST} {request}{CRITIQUE}"
        return "".join(self._worked(shot, with_critique=True) for shot in shots) + task

    def revision(
        self,
        turns: Sequence[Turn],
        answer: str,
        request: str,
        *,
        critique: tuple[str, str] | None,
        shots: Sequence[CritiqueShot] = (),
    ) -> str:
        middle = "" if critique is None else f"{CRITIQUE_REQUEST} {critique[0]}{CRITIQUE} {critique[1]}"
        task = f"{self.prompt(turns)} {answer}{middle}{REVISION_REQUEST} {request}{REVISION}"
        return "".join(self._worked(shot, with_critique=critique is not None) for shot in shots) + task

    def _worked(self, shot: CritiqueShot, *, with_critique: bool) -> str:
        """One example. It starts with a human turn, so it ends the one before it (CAI appendix E.1)."""
        critique = (shot.critique_request, shot.critique) if with_critique else None
        return f"{self.revision(shot.turns, shot.answer, shot.revision_request, critique=critique)} {shot.revision}"
