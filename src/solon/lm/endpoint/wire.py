"""Sending requests: pooled connections, as many at once as the server bears, again where that may help."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import ssl
from collections.abc import AsyncGenerator, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary

import aiohttp
import certifi

from solon.config.engines import EndpointSection
from solon.errors import EngineUnavailableError
from solon.lm.endpoint import events
from solon.lm.endpoint.failures import NOT_REACHED, Failure, broken, filtered, garbled, refused
from solon.lm.endpoint.replies import Reply, read
from solon.lm.endpoint.spending import Spending, Tokens
from solon.lm.endpoint.turns import Turns
from solon.lm.engines import Count
from solon.lm.protocols import Tell

_FIRST = 3
"""Tries again before the first reply."""
_LONGEST = 8.0
"""Seconds between two tries of a request, at most, unless the server asks for more. As OpenAI's client."""


class Wire:
    """A server and one of its models, over connections that live as long as the event loop they were opened in."""

    def __init__(self, url: str, model: str, section: EndpointSection, spending: Spending, count: Count, pause: float):
        """`pause`: seconds before a request is sent a second time, at most; it doubles from one try to the next."""
        self.url, self.model, self.section, self.spending = url, model, section, spending
        self._count, self._pause, self._met = count, pause, False
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, _Session] = WeakKeyDictionary()

    async def ask(
        self, path: str, body: Mapping[str, Any], most: Tokens, *, logprobs: bool = False, tell: Tell | None = None
    ) -> Reply:
        """The server's reply to a POST of `body`, with log-probabilities if they are needed.

        `most`: what it can cost. `tell` is given its text while it comes; a reply that breaks off when some of it was
        told is not asked for again. Raises an `EngineError` if this request failed, `EngineUnavailableError` if others
        would fail as well.
        """
        session = await self._session()
        heard = _Heard(tell)
        for tries in itertools.count():
            found = await self._try(session, path, body, most, logprobs, heard)
            if isinstance(found, Reply):
                return found
            if not found.again or heard.anything or tries >= self._patience(found):
                raise found.error
            doubled = min(_LONGEST, self._pause * 2.0**tries) * random.uniform(0.5, 1.0)  # noqa: S311  # apart from other rows
            await asyncio.sleep(doubled if found.pause is None else found.pause)
        raise AssertionError("unreachable")

    async def _try(
        self, session: _Session, path: str, body: Mapping[str, Any], most: Tokens, logprobs: bool, heard: _Heard
    ) -> Reply | Failure:
        """One request in its turn, paid and counted."""
        async with session.turns.one(lambda: self.spending.room(most)) as turn:
            with self.spending.reserved(most) as settle:
                found = await self._once(session, path, body, logprobs, heard)
                settle(cost := _cost(found, most))
            if isinstance(found, Reply):
                self._met = True
                session.turns.went_well()
            elif found.overload:
                session.turns.overloaded(turn)
        failed = () if isinstance(found, Reply) else ((f"failed: {found.name}", 1),)
        for name, number in (("sent", 1), ("tokens read", cost.read), ("tokens written", cost.written), *failed):
            self._count(name, number)
        return found

    def _patience(self, found: Failure) -> int:
        """How often a request is sent again. A server that has not replied yet may be none."""
        if self._met:
            return self.section.retries
        return 0 if found.name == NOT_REACHED else min(self.section.retries, _FIRST)

    async def _once(
        self, session: _Session, path: str, body: Mapping[str, Any], logprobs: bool, heard: _Heard
    ) -> Reply | Failure:
        sent = {"model": self.model, **body, **(events.ASKED if heard.listens else {})}
        try:
            async with session.http.post(f"{self.url}{path}", json=sent) as response:
                comes = response.ok and response.content_type == events.KIND
                content = await (events.whole(response.content, heard) if comes else response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            return broken(error, url=self.url, timeout=self.section.timeout)
        if not response.ok:
            return refused(response, content, url=self.url, model=self.model, key=self.section.key)
        reply = read(content)
        if isinstance(reply, str):
            return garbled(reply)
        if reply.choice.finish_reason == "content_filter":
            return filtered()
        return garbled("no log-probabilities") if logprobs and not reply.choice.steps else reply

    async def _session(self) -> _Session:
        loop = asyncio.get_running_loop()
        if loop not in self._sessions:
            self._sessions[loop] = session = _Session(self.url, self.section)
            await anext(session.held)
        return self._sessions[loop]


class _Heard:
    """Whoever is told of a reply while it comes, if anybody is."""

    def __init__(self, tell: Tell | None):
        self._tell, self.listens, self.anything = tell, tell is not None, False

    def __call__(self, said: str) -> None:
        self.anything = True
        if self._tell:
            self._tell(said)


class _Session:
    """Connections and turns of one event loop."""

    http: aiohttp.ClientSession

    def __init__(self, url: str, section: EndpointSection):
        self.turns = Turns(section.concurrency)
        self.held = self._hold(url, section)

    async def _hold(self, url: str, section: EndpointSection) -> AsyncGenerator[None, None]:
        """A loop that ends closes the generators that were begun in it, and so the connections."""
        key = _key(section.key)
        async with aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {key}"} if key else None,
            timeout=aiohttp.ClientTimeout(total=section.timeout),
            connector=aiohttp.TCPConnector(limit=0, ssl=_certificates()),  # turns limit them
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=_proxy(url),
        ) as self.http:
            yield


def _proxy(url: str) -> str | None:
    """That of the environment, looked up once: aiohttp itself would do so, in another thread, for every request."""
    address = urlsplit(url)
    return None if proxy_bypass(address.netloc) else getproxies().get(address.scheme)


def _key(variable: str) -> str:
    """Empty for servers of one's own. Raises `EngineUnavailableError` of what no request can carry, such as a file's
    last line break."""
    key = os.environ.get(variable, "")
    if not (key.isascii() and key.isprintable()):
        hint = "set it to the key alone, without line breaks"
        raise EngineUnavailableError(f"{variable} holds characters that no key has", hint=hint)
    return key


@cache
def _certificates() -> ssl.SSLContext:
    """The system's, and those that come with Python packages, for Pythons that find none. Read once: that takes longer
    than a request."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _cost(found: Reply | Failure, most: Tokens) -> Tokens:
    """What a request cost, as the server counts; where it does not say, as much as it can have."""
    if isinstance(found, Reply):
        return found.usage or most
    return most if found.billed else Tokens()
