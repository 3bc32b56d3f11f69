"""A headless browser driven over a pipe, for tests that look at a page as a reader's browser does.

Speaks the Chrome DevTools Protocol on file descriptors 3 and 4: messages of JSON, each ended by a zero byte.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from needs import CHROMIUM

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


@dataclass
class Browser:
    """One browser with one page. Use it as a context."""

    profile: Path
    timeout: float = 120.0
    events: list[dict[str, Any]] = field(default_factory=list)
    _next: int = 0
    _buffer: bytes = b""
    _session: str | None = None

    def __enter__(self) -> Browser:
        to_read, self._out = map(_high, os.pipe())
        self._in, to_write = map(_high, os.pipe())
        # The browser reads commands from descriptor 3 and writes to 4; bash puts them there.
        command = f'exec "$@" 3<&{to_read} 4>&{to_write} {to_read}<&- {to_write}>&-'
        self._process = subprocess.Popen(
            [
                "bash",
                "-c",
                command,
                "bash",
                str(CHROMIUM.place),
                *QUIET,
                f"--user-data-dir={self.profile}",
                "about:blank",
            ],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        targets = self.call("Target.getTargets")["targetInfos"]
        self._look_at(next(one["targetId"] for one in targets if one["type"] == "page"))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    @contextmanager
    def anew(self) -> Iterator[Browser]:
        """For the block, the browser of somebody else: one page, and nothing kept of what was looked at before. Another
        program would take three times the processor time to start."""
        before, self._session = self._session, None
        context = self.call("Target.createBrowserContext")["browserContextId"]
        page = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.events.clear()
        self._look_at(page)
        try:
            yield self
        finally:
            self._session = None
            self.call("Target.disposeBrowserContext", browserContextId=context)
            self._session = before
            self.events.clear()

    def _look_at(self, page: str) -> None:
        self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)  # else keys wait for a window that has the focus

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of one command; what happens meanwhile is kept in `events`."""
        self._next += 1
        message: dict[str, Any] = {"id": self._next, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._next:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def open(self, page: Path | str, *, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        """Load a file or an address and wait until it is there."""
        self.change_window(width, height, dark=dark)
        seen = len(self.events)
        self.call("Page.navigate", url=page if isinstance(page, str) else page.resolve().as_uri())
        self.loaded(seen)

    def loaded(self, since: int) -> None:
        """Wait until a page is there whose loading began after so many events."""
        while not any(one.get("method") == "Page.loadEventFired" for one in self.events[since:]):
            self.events.append(self._receive())

    def key(self, key: str, code: int, text: str = "") -> None:
        """Press and release a key; `code`: its number in Windows, `text`: what it writes."""
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    def change_window(self, width: int, height: int = 900, *, dark: bool = False) -> None:
        """Of the page that is open, without loading it anew."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )

    def run(self, expression: str) -> Any:
        """The value of a piece of JavaScript."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def picture(self, path: Path, *, clip: Sequence[float] | None = None) -> None:
        """A PNG of the page, or of (x, y, width, height) of it."""
        area = dict(zip(("x", "y", "width", "height"), clip, strict=True), scale=1) if clip else None
        extra = {"clip": area} if area else {}
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, **extra)
        path.write_bytes(base64.b64decode(found["data"]))

    def complaints(self) -> list[str]:
        """Errors and warnings on the console, exceptions, refusals by the content security policy."""
        found = []
        for one in self.events:
            method, values = one.get("method"), one.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(str(values["exceptionDetails"]))
            if method == "Runtime.consoleAPICalled" and values["type"] in ("error", "warning", "assert"):
                found.append(str(values["args"]))
            if method == "Log.entryAdded" and values["entry"]["level"] in ("error", "warning"):
                found.append(str(values["entry"]))
        return found

    def requests(self) -> list[str]:
        """Every address asked for."""
        return [
            one["params"]["request"]["url"] for one in self.events if one.get("method") == "Network.requestWillBeSent"
        ]

    def _receive(self) -> dict[str, Any]:
        deadline = time.monotonic() + self.timeout
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"the browser said nothing for {self.timeout:g} s"
            chunk = os.read(self._in, 1 << 20)
            assert chunk, "the browser ended"
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


def _high(descriptor: int) -> int:
    """The same pipe under a number that cannot be 3 or 4."""
    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return copy
