"""What a request is to the scheduler: tokens to read, and what is made of the logits behind them.

V vocabulary   N positions
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor

from solon.lm.cache import Place
from solon.lm.protocols import Completion, SampleRequest, Tell
from solon.lm.stops import TextOf, first_stop


@dataclass(eq=False, kw_only=True)
class Job:
    """Tokens to read."""

    ids: list[int]
    """To read next, all from the first; grows with a reply."""
    last: int
    """Logits are wanted after so many of the last tokens."""
    most: int
    """Tokens that there may come to be."""
    place: Place = ()
    """The row of the stage that it is for."""
    result: Any = None
    error: Exception | None = None

    @property
    def ended(self) -> bool:
        return self.result is not None or self.error is not None


@dataclass(eq=False, kw_only=True)
class Reply(Job):
    """One request and its completion so far."""

    request: SampleRequest
    prompt_ids: list[int]
    limit: int
    """Tokens that it may have; fewer than requested where the context ends first."""
    answer_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    tell: Tell | None = None
    """Is given what is certain of the reply, as it grows."""

    @classmethod
    def to(
        cls,
        request: SampleRequest,
        prompt_ids: list[int],
        *,
        context: int,
        place: Place = (),
        tell: Tell | None = None,
    ) -> Reply:
        limit = min(request.max_new_tokens, context - len(prompt_ids))
        ids, most = list(prompt_ids), len(prompt_ids) + limit
        return cls(
            ids=ids, last=1, most=most, place=place, request=request, prompt_ids=prompt_ids, limit=limit, tell=tell
        )

    def take(self, token: int, logprob: float, text_of: TextOf, end_ids: frozenset[int]) -> None:
        """Appends a token, which may end the completion."""
        self.answer_ids.append(token)
        self.logprobs.append(logprob)
        self.ids.append(token)
        stop = self.request.stop
        if token in end_ids:
            self._end("eos", text_of.decode(self.answer_ids[:-1]), text_of)
            return
        if stop and text_of.completing(stop)[token]:
            text = text_of.decode(self.answer_ids)
            place = first_stop(text, stop)
            if place is not None:
                self._end("stop", text[:place], text_of)
                return
        if len(self.answer_ids) >= self.limit:
            self._end("length", text_of.decode(self.answer_ids), text_of)
        elif self.tell:
            self.tell(text_of.certain(self.answer_ids, stop))

    def _end(self, ended: Literal["stop", "eos", "length"], text: str, text_of: TextOf) -> None:
        self.result = Completion(
            prompt=self.request.prompt,
            text=text_of.clean(self.answer_ids, text),
            tokens=len(self.answer_ids),
            ended=ended,
            prompt_ids=tuple(self.prompt_ids),
            answer_ids=tuple(self.answer_ids),
            logprobs=tuple(self.logprobs),
        )


@dataclass(eq=False, kw_only=True)
class Score(Job):
    """Continuations of a prompt that differ in their last token at most: their result is the sum of the
    log-probabilities of the tokens of each."""

    before: Sequence[int]
    """What they begin with."""
    finals: Sequence[int]
    """Their last tokens."""

    @classmethod
    def of(cls, prompt_ids: list[int], before: Sequence[int], finals: Sequence[int], *, place: Place = ()) -> Score:
        ids = [*prompt_ids, *before]
        return cls(ids=ids, last=len(before) + 1, most=len(ids), place=place, before=before, finals=finals)

    def take(self, logits_NV: Tensor) -> None:
        logp_NV = log_softmax(logits_NV)
        shared = sum(float(logp_NV[place, token]) for place, token in enumerate(self.before))
        self.result = [shared + float(logp_NV[-1, token]) for token in self.finals]


def log_softmax(logits_NV: Tensor) -> Tensor:
    """In float64, on a device that has it."""
    device = "cpu" if logits_NV.device.type == "mps" else logits_NV.device
    return logits_NV.to(device).double().log_softmax(dim=-1)
