"""How a critique and a revision are asked for (CAI section 3.1), of which there is more than one way.

As the paper does, in the turns of one dialogue; or, for models that were taught to do what one message says, in one
message that quotes the dialogue. Either way the reply to a revision request may be begun for the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from solon.config.feedback import Ask
from solon.constitution.few_shots import CritiqueShot
from solon.prompting import context
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.comparison import template
from solon.prompting.context import Context, Message, Speaker
from solon.prompting.dialogue import ASSISTANT, DELIMITERS, HUMAN, HumanAssistant
from solon.prompting.guard import Guard
from solon.records import Turn
from solon.text import fill

BEGUN = "Here is the new response to the human:\n\n"
"""How the reply to a revision request begins where it is begun; no part of the revision."""


@dataclass(frozen=True, kw_only=True)
class CritiqueFormat:
    """How one assistant wants to be asked for critiques and revisions."""

    one_turn: bool = False
    """Whether a single message quotes prompt, answer and critique; else they are turns of a dialogue."""
    begun: bool = False
    """Whether the reply to a revision request begins with `BEGUN`."""
    guard: Guard = HumanAssistant.guard
    """Keeps what a message quotes from being read as a turn of its own."""

    @property
    def name(self) -> str:
        """As the run file calls it."""
        return f"{'one-turn' if self.one_turn else 'turns'}{'-begun' if self.begun else ''}"

    @property
    def frame(self) -> str:
        """What it says itself when it asks for a revision."""
        return template("revision") if self.one_turn else ""

    def critique(
        self, turns: Sequence[Turn], answer: str, request: str, *, shots: Sequence[CritiqueShot] = ()
    ) -> Context:
        """`answer` is to be criticised. `shots` are worked examples that come first."""
        if not self.one_turn:
            return context.critique(turns, answer, request, shots=shots)
        worked = [
            (self._quoted("critique", shot.turns, shot.answer, request=shot.critique_request), shot.critique)
            for shot in shots
        ]
        return _message(turns, worked, self._quoted("critique", turns, answer, request=request), "critique")

    def revision(
        self,
        turns: Sequence[Turn],
        answer: str,
        request: str,
        *,
        critique: tuple[str, str] | None,
        shots: Sequence[CritiqueShot] = (),
    ) -> Context:
        """`answer` is to be revised. `critique`: (critique request, critique), None when direct; the shots then come
        without their critiques as well."""
        begun = BEGUN if self.begun else ""
        if begun:
            shots = [shot.model_copy(update={"revision": f"{begun}{shot.revision}"}) for shot in shots]
        if not self.one_turn:
            return replace(context.revision(turns, answer, request, critique=critique, shots=shots), prefill=begun)

        def quoted(turns: Sequence[Turn], answer: str, request: str, critique: str) -> str:
            name = "revision" if critique else "revision_direct"
            return self._quoted(name, turns, answer, request=request, critique=critique)

        worked = [
            (quoted(shot.turns, shot.answer, shot.revision_request, shot.critique if critique else ""), shot.revision)
            for shot in shots
        ]
        asked = quoted(turns, answer, request, critique[1] if critique else "")
        return replace(_message(turns, worked, asked, "revision"), prefill=begun)

    def _quoted(self, name: str, turns: Sequence[Turn], answer: str, **fields: str) -> str:
        """A template with the dialogue in it, but for its system turn, up to and including the answer."""
        mark = {"human": HUMAN, "assistant": ASSISTANT}
        said = (*(turn for turn in turns if turn.role != "system"), Turn(role="assistant", text=answer))
        dialogue = "".join(f"{mark[turn.role]} {self.guard(turn.text)}" for turn in said)
        return fill(template(name), dialogue=dialogue, **{name: self.guard(text) for name, text in fields.items()})


def _message(turns: Sequence[Turn], worked: Sequence[tuple[str, str]], asked: str, reply: Speaker) -> Context:
    """One message, after worked ones with their replies, behind the system turn."""
    system = tuple(Message("system", turn.text) for turn in turns if turn.role == "system")
    shown = tuple(part for one, answer in worked for part in (Message("human", one), Message("assistant", answer)))
    return Context(messages=(*system, *shown, Message("human", asked)), reply=reply)


def critique_format(dialogue: DialogueFormat, ask: Ask = "auto") -> CritiqueFormat:
    """The format of critiques and revisions that goes with a dialogue format."""
    if ask == "auto":
        ask = "turns" if isinstance(dialogue, HumanAssistant) else "one-turn"
    return CritiqueFormat(
        one_turn=ask.startswith("one-turn"), begun=ask.endswith("begun"), guard=dialogue.guard.also(DELIMITERS)
    )
