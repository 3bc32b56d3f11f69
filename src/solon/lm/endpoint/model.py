"""A model on a server, as the rest of Solon asks models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from solon.config.engines import EndpointSection, server_and_model
from solon.errors import ConfigError, ProseError
from solon.lm.batcher import run, together
from solon.lm.endpoint import VERDICT
from solon.lm.endpoint.probe import find_manner
from solon.lm.endpoint.replies import Reply
from solon.lm.endpoint.spending import Spending
from solon.lm.endpoint.verdicts import named, option_scores, shared, voted
from solon.lm.endpoint.wire import Wire
from solon.lm.endpoint.wording import Manner, Wording, worded
from solon.lm.engines import ModelSpec
from solon.lm.protocols import Capabilities, Completion, OptionScores, Progress, Sampling, Tell
from solon.lm.stops import certain, first_stop, without_thought
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.context import Context
from solon.prompting.messages import Messages
from solon.seeds import derive_seed, portable_seed

PAUSE = 0.5
"""Seconds before a request is sent again, at most. As OpenAI's client."""


def open_model(spec: ModelSpec) -> EndpointModel:
    """The model that `spec.model` names as `URL#MODEL`, once the server has said how it can be asked.

    Raises `ConfigError` if it names none, `EngineUnavailableError` if the server cannot be used.
    """
    found, section = server_and_model(spec.model), spec.endpoint or EndpointSection()
    if found is None:
        raise ConfigError(f"{spec.model!r} names no model on a server", hint="e.g. http://localhost:8000/v1#my-model")
    wire = Wire(*found, section, Spending(section, spec.ledger), spec.count, PAUSE)
    manner = run(find_manner(wire, chat=isinstance(spec.format, Messages)))
    return EndpointModel(wire, spec.format, manner, progress=spec.progress)


class EndpointModel:
    """`LanguageModel` of a server."""

    def __init__(self, wire: Wire, format: DialogueFormat, manner: Manner, *, progress: Progress | None = None):
        """`format`: `Messages` for chat; any other renders the text that completions take."""
        self.identity = f"endpoint:{wire.url}#{wire.model}"
        self._wire, self._format, self._manner, self._progress = wire, format, manner, progress
        told = manner.told(samples=wire.section.samples)
        how: Literal["top-k", "sampled"] = "top-k" if manner.likeliest else "sampled"
        self.can = Capabilities(logprobs=how, prefill=True, seed=False, context=None, manner=told)

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        """See `LanguageModel`."""
        return await self.stream(context, sampling, seed=seed)

    async def stream(self, context: Context, sampling: Sampling, *, seed: int, tell: Tell | None = None) -> Completion:
        """See `Streaming`. The server writes what it would write anyway, as far as it promises."""
        wording = worded(context, self._format, self._manner)

        def hear(said: str) -> None:
            assert tell
            tell(_bare(certain(said, self._format.stop), wording))

        reply = await self._ask(wording, sampling, {"seed": portable_seed(seed)}, hear if tell else None)
        return self._completion(wording, reply, sampling.max_new_tokens)

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        """See `LanguageModel`. By the likeliest tokens after what the options share, or else by a vote of samples.
        Raises `ProseError` if most of them name no option."""
        begun = shared(options) if self._manner.continues else ""
        wording = worded(context, self._format, self._manner, begun=begun, options=options)
        if not self._manner.likeliest:
            return await self._vote(wording, options, begun)
        # What is written decides where to look, so it is the likeliest; the option itself comes first if it is begun.
        sampling = Sampling(max_new_tokens=1 if begun else 2, temperature=1.0 if begun else 0.0)
        reply = await self._ask(wording, sampling, self._manner.logprobs())
        return option_scores(options, reply.choice.steps, begun=begun)

    async def _vote(self, wording: Wording, options: Sequence[str], begun: str) -> OptionScores:
        section = self._wire.section
        sampling = Sampling(max_new_tokens=VERDICT, temperature=section.sample_temperature)

        async def reply(number: int) -> str:
            seed = portable_seed(derive_seed(0, "verdict", wording.prompt, number))
            return (await self._ask(wording, sampling, {"seed": seed})).choice.said or ""

        replies = await together(map(reply, range(section.samples)))
        votes = [named(f"{begun}{text}", options, cue=wording.begun) for text in replies]
        if 2 * votes.count(None) > len(votes):
            prose = next(text for text, vote in zip(replies, votes, strict=True) if vote is None)
            told = f"{votes.count(None)} of {len(votes)} replies name no option, e.g. {prose!r}"
            raise ProseError(told, said=prose)
        return voted(options, votes)

    async def _ask(
        self, wording: Wording, sampling: Sampling, settings: dict[str, Any], hear: Tell | None = None
    ) -> Reply:
        body, most = wording.body | self._manner.drawn(sampling) | settings, wording.most(sampling.max_new_tokens)
        reply = await self._wire.ask(wording.path, body, most, logprobs="logprobs" in settings, tell=hear)
        if self._progress:
            self._progress(0, reply.usage.written if reply.usage else 0)
        return reply

    def _completion(self, wording: Wording, reply: Reply, limit: int) -> Completion:
        text = _bare(reply.choice.said or "", wording)
        place = first_stop(text, self._format.stop)
        ended: Literal["stop", "eos", "length"] = "length" if reply.choice.finish_reason == "length" else "eos"
        if place is not None:
            text, ended = text[:place], "stop"
        written = reply.usage.written if reply.usage else limit
        return Completion(prompt=wording.prompt, text=text.strip(), tokens=written, ended=ended)


def _bare(said: str, wording: Wording) -> str:
    """A reply without its thought, and without its beginning, if the server says that again."""
    return without_thought(said).strip().removeprefix(wording.begun.strip()).strip()
