"""What comes in the place of a reply: how it is counted, what it means for its row, and whether to ask again."""

from __future__ import annotations

import email.utils
import math
import os
import re
import time
from dataclasses import dataclass

import aiohttp
from pydantic_core import from_json

from solon.errors import (
    EngineError,
    EngineUnavailableError,
    GarbledError,
    RefusedError,
    SolonError,
    TimedOutError,
    TooLongError,
    UnsupportedError,
)

NOT_REACHED = "not reached"
_PASSING = (408, 409, 425, 429, 500, 502, 503, 504, 529)
_OVERLOADED = (429, 500, 502, 503, 504, 529)
_SAID = 200
"""Characters quoted of what a server says."""
LONGEST_PAUSE = 120.0
"""Seconds. A server that asks for more has run out of something. As OpenAI's client."""
_TOO_LONG = re.compile(r"context|too long|tokens.*must be", re.IGNORECASE)
_FILTERED = re.compile(r"content.?filter|content.?management|polic", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One request without a usable reply."""

    name: str
    """It is counted by this, e.g. `429` or `timed out`."""
    error: SolonError
    """To raise if it is not sent again."""
    again: bool = False
    """Whether sending it again may help."""
    pause: float | None = None
    """Seconds that the server wants to be left alone, if it says so."""
    overload: bool = False
    """Whether there were too many requests."""
    billed: bool = False
    """Whether the server may have computed a reply, which then cost something."""


def garbled(what: str) -> Failure:
    """A reply that is none."""
    return Failure(name=what, error=GarbledError(f"the server's reply has {what}"), again=True, billed=True)


def filtered() -> Failure:
    """The provider stopped the reply."""
    return Failure(name="filtered", error=RefusedError("the provider's filter stopped the reply"), billed=True)


def broken(error: aiohttp.ClientError | TimeoutError, *, url: str, timeout: float) -> Failure:
    """No reply came to an end."""
    if isinstance(error, aiohttp.ClientConnectorError):
        hint = "start the server, then give the same command again"
        gone = EngineUnavailableError(f"{url} cannot be reached: {error.os_error}", hint=hint)
        return Failure(name=NOT_REACHED, error=gone, again=True)
    if isinstance(error, TimeoutError):
        late = TimedOutError(f"no reply within {timeout:g} s")
        return Failure(name="timed out", error=late, again=True, billed=True)
    return Failure(name="connection broke", error=EngineError("the connection broke"), again=True, billed=True)


def refused(response: aiohttp.ClientResponse, content: bytes, *, url: str, model: str, key: str) -> Failure:
    """A reply whose status is an error; `key` is the variable that holds the key."""
    status, name = response.status, str(response.status)
    code, said = _said(content, os.environ.get(key))
    if status in (401, 403):
        hint = f"set {key}, or the variable that `endpoint.key` names, to a key that may use {model}"
        return Failure(name=name, error=EngineUnavailableError(f"{url} refuses the key", hint=hint))
    if status in (404, 405):
        hint = "ask it what it has: GET URL/models; most addresses end in /v1"
        return Failure(name=name, error=EngineUnavailableError(f"{url} has no {model}: {said}", hint=hint))
    if code == "insufficient_quota":
        return Failure(name=name, error=EngineUnavailableError(f"{url} has no quota left for the key", hint="raise it"))
    if status in _PASSING:
        return _passing(status, retry_after(response.headers.get("retry-after")))
    return Failure(name=name, error=_bad_request(said) if status < 500 else EngineError(f"the server said {status}"))


def _passing(status: int, pause: float | None) -> Failure:
    if pause is not None and pause > LONGEST_PAUSE:
        gone = EngineUnavailableError(f"the server wants no request for {pause:.0f} s", hint="go on when it is over")
        return Failure(name=str(status), error=gone)
    lost = EngineError(f"the server said {status}")
    return Failure(name=str(status), error=lost, again=True, pause=pause, overload=status in _OVERLOADED)


def _bad_request(said: str) -> EngineError:
    if _FILTERED.search(said):
        return RefusedError("the provider's filter stopped the request")
    if _TOO_LONG.search(said):
        return TooLongError("more than the server's model reads")
    return UnsupportedError(f"the server does not take the request: {said}")


def _said(content: bytes, secret: str | None) -> tuple[object, str]:
    """The code of an error, and the server's own words in one line. Without the key: some servers quote it."""
    try:
        body = from_json(content)
    except ValueError:
        body = {}
    error = body.get("error", body) if isinstance(body, dict) else {}
    if not isinstance(error, dict):
        error = {"message": error}
    words = str(error.get("message") or error.get("detail") or error or "nothing more")
    words = words.replace(secret, "...") if secret else words
    return error.get("code"), " ".join(words.split())[:_SAID]


def retry_after(header: str | None) -> float | None:
    """Seconds that `Retry-After` asks for, a number of seconds or a date; None if it does not."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        date = email.utils.parsedate_tz(header)
        seconds = email.utils.mktime_tz(date) - time.time() if date else math.nan
    return max(seconds, 0.0) if math.isfinite(seconds) else None
