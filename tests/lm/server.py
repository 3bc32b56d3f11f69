"""A server that speaks OpenAI's protocol over real sockets, with faults to order."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from solon.lm.engines.scripted import babble
from solon.lm.protocols import SampleRequest
from solon.lm.stops import first_stop

Fault = Literal["429", "500", "reset", "html", "truncated", "slow", "no logprobs", "no choices", "filtered"]
Reply = Callable[[SampleRequest], str]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, reply: Reply, top: dict[str, float], faults: Callable[[int], Fault | None], delay: float):
        self.reply, self.top, self.faults, self.delay = reply, top, faults, delay
        self.asked: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.busy = self.busiest = 0
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def take(self, request: dict[str, Any]) -> int:
        with self._lock:
            self.asked.append(request)
            self.busy += 1
            self.busiest = max(self.busy, self.busiest)
            return len(self.asked) - 1

    def leave(self) -> None:
        with self._lock:
            self.busy -= 1

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is no news."""


@contextmanager
def serving(
    reply: Reply = babble,
    *,
    top: dict[str, float] | None = None,
    faults: Callable[[int], Fault | None] = lambda number: None,
    delay: float = 0.0,
) -> Iterator[Server]:
    """`top`: log-probabilities of the likeliest next tokens. `faults`: of each request, by its number."""
    server = Server(reply, top or {"A": -0.2, "B": -1.9, " the": -5.0}, faults, delay)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.keys.add(self.headers.get("Authorization"))
        number = self.server.take(asked)
        try:
            time.sleep(self.server.delay)
            self._answer(asked, self.server.faults(number))
        finally:
            self.server.leave()

    def _answer(self, asked: dict[str, Any], fault: Fault | None) -> None:
        if fault == "429" or fault == "500":
            return self._send(int(fault), {"error": {"message": "later"}}, {"Retry-After": "0.01"})
        if fault == "reset":
            self.close_connection = True
            return self.connection.close()
        if fault == "slow":
            time.sleep(1.0)
        if "messages" in asked and self.path != "/v1/chat/completions":
            return self._send(404, {"error": {"message": "no such path"}})
        whole = json.dumps(self._reply(asked, fault)).encode()
        if fault == "html":
            whole = b"<html>Bad gateway</html>"
        self._write(200, whole[: len(whole) // 2] if fault == "truncated" else whole)
        return None

    def _reply(self, asked: dict[str, Any], fault: Fault | None) -> dict[str, Any]:
        prompt = asked.get("prompt") or "\n\n".join(message["content"] for message in asked["messages"])
        request = SampleRequest(
            prompt=prompt,
            seed=asked.get("seed", 0),
            max_new_tokens=asked["max_tokens"],
            temperature=asked["temperature"],
        )
        words = self.server.reply(request)[: first_stop(self.server.reply(request), asked.get("stop", ()))].split(" ")
        cut = len(words) >= request.max_new_tokens
        text = " ".join(words[: request.max_new_tokens])
        reason = "content_filter" if fault == "filtered" else "length" if cut else "stop"
        choice: dict[str, Any] = {"index": 0, "finish_reason": reason}
        choice |= {"text": text} if "prompt" in asked else {"message": {"role": "assistant", "content": text}}
        if asked.get("logprobs") and fault != "no logprobs":
            choice["logprobs"] = {"top_logprobs": [self.server.top]}
        written = min(len(words) + 1, request.max_new_tokens)
        usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": written}
        usage["total_tokens"] = sum(usage.values())
        choices: Sequence[Any] = [] if fault == "no choices" else [choice]
        return {"id": "1", "object": "text_completion", "created": 0, "model": "m", "choices": choices, "usage": usage}

    def _send(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        self._write(status, json.dumps(body).encode(), headers)

    def _write(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""
