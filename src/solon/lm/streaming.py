"""A reply in pieces, as it is written."""

from __future__ import annotations

from solon.lm.protocols import Completion, LanguageModel, Sampling, Streaming, Tell
from solon.prompting.context import Context


async def streamed(model: LanguageModel, context: Context, sampling: Sampling, *, seed: int, tell: Tell) -> Completion:
    """The reply of `model.complete`, told piece by piece: together the pieces are its text. An engine that does not
    stream has it told in one piece. What `tell` raises ends the reply and is raised here."""
    pieces = _Pieces(tell)
    if isinstance(model, Streaming):
        completion = await model.stream(context, sampling, seed=seed, tell=pieces.grown)
    else:
        completion = await model.complete(context, sampling, seed=seed)
    pieces.grown(completion.text)
    return completion


class _Pieces:
    """What a text gains, from one time that it is seen to the next."""

    def __init__(self, tell: Tell) -> None:
        self._tell, self._said = tell, ""

    def grown(self, text: str) -> None:
        if len(text) > len(self._said) and text.startswith(self._said):  # what was told is not taken back
            piece, self._said = text[len(self._said) :], text
            self._tell(piece)
