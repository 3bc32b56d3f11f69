"""A reply that comes in events while it is written, put together to what it would be whole."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from solon.lm.protocols import Tell

ASKED = {"stream": True, "stream_options": {"include_usage": True}}
"""What asks for events, and at their end for what the reply took. As OpenAI's protocol."""
KIND = "text/event-stream"


class _Piece(BaseModel):
    model_config = ConfigDict(extra="ignore")
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    model_config = ConfigDict(extra="ignore")
    text: str | None = None
    delta: _Piece | None = None
    finish_reason: str | None = None

    @property
    def said(self) -> str:
        if self.delta is None:
            return self.text or ""
        return self.delta.content or self.delta.refusal or ""


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore")
    choices: tuple[_Choice, ...] = ()
    usage: dict[str, Any] | None = None


async def whole(lines: AsyncIterable[bytes], tell: Tell) -> bytes:
    """The reply as JSON. `tell` is given its text whenever that has grown. What is no event, or comes without a reason
    to end, makes a reply that cannot be read."""
    said, reason, usage = "", "", None
    async for data in _data(lines):
        try:
            event = _Event.model_validate_json(data)
        except ValidationError:
            return b""
        usage = event.usage or usage
        for choice in event.choices[:1]:
            said, reason = said + choice.said, choice.finish_reason or reason
            if choice.said:
                tell(said)
    reply = {"choices": [{"text": said, "finish_reason": reason}], "usage": usage}
    return json.dumps(reply).encode() if reason else b""


async def _data(lines: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Of each event; that of a line which is too long to be read is none."""
    try:
        async for line in lines:
            name, _, data = line.partition(b":")
            if name == b"data" and data.strip() != b"[DONE]":
                yield data.strip()
    except ValueError:
        yield b""
