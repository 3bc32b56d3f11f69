"""How a server can be asked, found out by asking it a word at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from solon.errors import EngineError, EngineUnavailableError, UnsupportedError
from solon.lm.endpoint.replies import Reply
from solon.lm.endpoint.spending import Tokens
from solon.lm.endpoint.wire import Wire
from solon.lm.endpoint.wording import CHAT, COMPLETIONS, CONTINUE, Manner

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
    top = wire.section.top_logprobs
    for limit in ("max_tokens", "max_completion_tokens"):
        for likeliest in dict.fromkeys((top, min(top, _FEW), 0)):
            manner = Manner(likeliest=likeliest, continues=not chat, limit=limit)
            try:
                if not await _gives(wire, manner, chat=chat):
                    continue
                return Manner(likeliest=likeliest, continues=not chat or await _continues(wire, manner), limit=limit)
            except EngineError as error:
                refused = error
    hint = "see to its address, which usually ends in /v1, and to endpoint.api"
    raise EngineUnavailableError(f"{wire.url} cannot be used: {refused}", hint=hint)


def logprobs(likeliest: int, *, chat: bool) -> dict[str, Any]:
    """The keys that ask for the likeliest tokens."""
    if not likeliest:
        return {}
    return {"logprobs": True, "top_logprobs": likeliest} if chat else {"logprobs": likeliest}


async def _gives(wire: Wire, manner: Manner, *, chat: bool) -> bool:
    """Whether it gives the log-probabilities that it is asked for. Some servers pass over what they do not know."""
    asked = {"messages": _said()} if chat else {"prompt": _QUESTION}
    body = asked | logprobs(manner.likeliest, chat=chat) | {manner.limit: 1}
    for _ in range(_SURE):
        reply = await wire.ask(CHAT if chat else COMPLETIONS, body, _MOST)
        if reply.choice.steps or not manner.likeliest:
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
