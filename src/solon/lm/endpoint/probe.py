"""How a server can be asked, found out by asking it a word at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

from solon.errors import EngineError, EngineUnavailableError, GarbledError, TimedOutError, UnsupportedError
from solon.lm.endpoint.replies import Reply
from solon.lm.endpoint.spending import Tokens
from solon.lm.endpoint.wire import Wire
from solon.lm.endpoint.wording import CHAT, COMPLETIONS, CONTINUE, Manner
from solon.lm.protocols import Sampling

_QUESTION = "Is water wet? Say yes or no."
_WORD = "yes"
_MOST = Tokens(read=256, written=1)
_FEW = 5
"""Likeliest tokens that OpenAI gives to completions."""
_SURE = 3
"""Replies without log-probabilities after which there are taken to be none."""


async def find_manner(wire: Wire, *, chat: bool) -> Manner:
    """Raises `EngineUnavailableError`, one line, of a server that is not there, or cannot be used as it is asked."""
    refused: EngineError = UnsupportedError("nothing was asked")
    for manner in _manners(wire.section.top_logprobs, chat=chat):
        try:
            given = await _gives(wire, manner)
        except EngineError as error:
            refused = error
            if isinstance(error, GarbledError | TimedOutError):  # not for what was asked
                break
        else:
            found = manner if given else replace(manner, likeliest=0)
            return replace(found, continues=await _continues(wire, found)) if chat else found
    hint = "see to its address, which usually ends in /v1, and to endpoint.api"
    raise EngineUnavailableError(f"{wire.url} cannot be used: {refused}", hint=hint)


def _manners(most: int, *, chat: bool) -> Iterator[Manner]:
    """From what most servers take to what the barest do."""
    numbers = dict.fromkeys((most, min(most, _FEW), 0))
    for limit, filters, likeliest in product(("max_tokens", "max_completion_tokens"), (True, False), numbers):
        yield Manner(chat=chat, limit=limit, filters=filters, likeliest=likeliest, continues=not chat)


async def _gives(wire: Wire, manner: Manner) -> bool:
    """Whether it gives the log-probabilities that it is asked for. Some servers pass over what they do not know."""
    asked = {"messages": _said()} if manner.chat else {"prompt": _QUESTION}
    settings = manner.drawn(Sampling(max_new_tokens=1)) | manner.logprobs()
    del settings["temperature"]  # some models have but one
    for _ in range(_SURE if manner.likeliest else 1):
        reply = await wire.ask(CHAT if manner.chat else COMPLETIONS, asked | settings, _MOST)
        if reply.choice.steps:
            return True
    return False


async def _continues(wire: Wire, manner: Manner) -> bool:
    """Whether it goes on with a last message of the assistant. A server that does not closes that message, and opens
    another: what it reads then grows by more than the message's word does."""
    try:
        bare, one, two = [
            await wire.ask(CHAT, {"messages": messages, manner.limit: 1, **more}, _MOST)
            for messages, more in ((_said(), {}), (_said(1), CONTINUE), (_said(2), CONTINUE))
        ]
    except EngineError:
        return False
    word = _read(two) - _read(one)
    return word > 0 and _read(one) - _read(bare) <= word


def _said(words: int = 0) -> Sequence[dict[str, str]]:
    begun = [{"role": "assistant", "content": " ".join([_WORD] * words)}] if words else []
    return [{"role": "user", "content": _QUESTION}, *begun]


def _read(reply: Reply) -> int:
    return reply.usage.read if reply.usage else 0
