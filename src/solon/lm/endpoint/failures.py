"""What comes in the place of a reply: how it is counted, what it means for its row, and whether to ask again."""

from __future__ import annotations

import email.utils
import math
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
import openai

from solon.config.engines import EndpointSection
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


def failure(error: openai.OpenAIError, *, url: str, model: str, section: EndpointSection) -> Failure:
    """What the client raised when it asked for the model at this address."""
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, url=url, model=model, key=section.key)
    causes = list(_causes(error))
    if any(isinstance(cause, aiohttp.ClientConnectorError) for cause in causes):
        hint = "start the server, then give the same command again"
        gone = EngineUnavailableError(f"{url} cannot be reached: {causes[-1]}", hint=hint)
        return Failure(name=NOT_REACHED, error=gone, again=True)
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return Failure(name="timed out", error=_late(section.timeout), again=True, billed=True)
    return Failure(name="connection broke", error=EngineError("the connection broke"), again=True, billed=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Down to what the socket said: the client in between calls a broken connection a time-out."""
    while error.__cause__ is not None:
        error = error.__cause__
        yield error


def _of_status(error: openai.APIStatusError, *, url: str, model: str, key: str) -> Failure:
    status, said = error.status_code, _said(error, os.environ.get(key))
    name = str(status)
    if status in (401, 403):
        hint = f"set {key}, or the variable that `endpoint.key` names, to a key that may use {model}"
        return Failure(name=name, error=EngineUnavailableError(f"{url} refuses the key", hint=hint))
    if status in (404, 405):
        hint = "ask it what it has: GET URL/models; most addresses end in /v1"
        return Failure(name=name, error=EngineUnavailableError(f"{url} has no {model}: {said}", hint=hint))
    if error.code == "insufficient_quota":
        return Failure(name=name, error=EngineUnavailableError(f"{url} has no quota left for the key", hint="raise it"))
    if status in _PASSING:
        return _passing(error)
    return Failure(name=name, error=_bad_request(said) if status < 500 else EngineError(f"the server said {status}"))


def _passing(error: openai.APIStatusError) -> Failure:
    pause = retry_after(error.response.headers.get("retry-after"))
    lost: SolonError = EngineError(f"the server said {error.status_code}")
    if pause is not None and pause > LONGEST_PAUSE:
        lost = EngineUnavailableError(f"the server wants no request for {pause:.0f} s", hint="go on when it is over")
        return Failure(name=str(error.status_code), error=lost)
    overload = error.status_code in _OVERLOADED
    return Failure(name=str(error.status_code), error=lost, again=True, pause=pause, overload=overload)


def _bad_request(said: str) -> EngineError:
    if _FILTERED.search(said):
        return RefusedError("the provider's filter stopped the request")
    if _TOO_LONG.search(said):
        return TooLongError("more than the server's model reads")
    return UnsupportedError(f"the server does not take the request: {said}")


def _late(timeout: float) -> TimedOutError:
    return TimedOutError(f"no reply within {timeout:g} s")


def _said(error: openai.APIStatusError, secret: str | None) -> str:
    """The server's own words, in one line. Without the key: some servers quote it."""
    body = error.body if isinstance(error.body, dict) else {}
    words = str(body.get("message") or body.get("detail") or body or "nothing more")
    return " ".join((words.replace(secret, "...") if secret else words).split())[:_SAID]


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
