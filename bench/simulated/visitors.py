"""People who visit a site over HTTP, many in one process: what a browser does, as far as it costs the site anything."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode

FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
LONGEST = 60.0
"""Seconds that somebody waits for an answer, and for how long they try again where the site is away."""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str

    def hidden(self, name: str) -> str:
        """The value of the first hidden field of that name."""
        return next(one[2] for one in FIELD.finditer(self.body) if one[1] == name)


@dataclass
class Visitor:
    """One browser: a connection that is kept, cookies, and how long each answer took.

    Whoever gets no answer sends the same again, as people do who load a page once more.
    """

    port: int
    address: str
    """Which a proxy would tell of them."""
    cookies: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    """Of every request that the site was there for: until its answer, the wait for a connection included."""
    outages: list[float] = field(default_factory=list)
    """Of every request that it was away for, until it was back and had answered."""
    statuses: Counter[str] = field(default_factory=Counter)
    """Of all answers, such as `POST 303`."""
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> Answer:
        """Redirects are followed, each a request of its own."""
        answer = await self.ask("GET", path)
        while answer.status == 303:
            answer = await self.ask("GET", answer.headers["location"])
        return answer

    async def post(self, path: str, fields: Mapping[str, str]) -> Answer:
        return await self.ask("POST", path, urlencode(fields))

    async def ask(self, method: str, path: str, body: str = "") -> Answer:
        """Raises TimeoutError where nobody answers for `LONGEST` seconds."""
        started, away = time.perf_counter(), False
        while True:
            kept = self._streams is not None
            try:
                answer = await asyncio.wait_for(self._sent(method, path, body), LONGEST)
            except (OSError, asyncio.IncompleteReadError, ValueError):
                self.close()
                if time.perf_counter() - started > LONGEST:
                    raise TimeoutError(path) from None
                if not kept:  # a kept connection may have been closed meanwhile: that is no trouble
                    away = True
                    await asyncio.sleep(0.1)
                continue
            (self.outages if away else self.seconds).append(time.perf_counter() - started)
            self.statuses[f"{method} {answer.status}"] += 1
            return answer

    async def _sent(self, method: str, path: str, body: str) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._streams
        head = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"x-forwarded-for: {self.address}"]
        head += [f"cookie: {'; '.join(f'{name}={value}' for name, value in self.cookies.items())}"]
        head += ["content-type: application/x-www-form-urlencoded", f"content-length: {len(body)}"] if body else []
        writer.write("\r\n".join([*head, "", body]).encode())
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        text = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
        return Answer(int(status.split()[1]), headers, text)

    def close(self) -> None:
        if self._streams:
            with suppress(OSError):
                self._streams[1].close()
        self._streams = None
