"""A server that speaks OpenAI's protocol over real sockets, with the habits that servers have, and faults to order.

It replies itself, or stands before another server and spoils what that one replies.
"""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from solon.lm.engines.scripted import babble
from solon.lm.protocols import SampleRequest
from solon.lm.stops import first_stop

Fault = Literal["429", "500", "reset", "html", "truncated", "slow", "no logprobs", "no choices", "filtered", "prose"]
Asked = dict[str, Any]
Faults = Callable[[Asked, int], Fault | None]
"""Of a request, and of how often the same was asked before."""
PROSE = "Both have their merits."
_EXTRA = {"top_k", "min_p", "continue_final_message", "add_generation_prompt"}
"""Keys that OpenAI does not have."""


@dataclass(frozen=True, kw_only=True)
class Habits:
    """What a server does, and does not."""

    reply: Callable[[SampleRequest], str] = babble
    top: dict[str, float] = field(default_factory=lambda: {"A": -0.2, "B": -1.9, " the": -5.0})
    """Log-probabilities of the likeliest next tokens."""
    logprobs: Literal["given", "passed over", "refused"] = "given"
    most: int = 20
    """Likeliest tokens that may be asked for."""
    continues: bool = True
    """Chat: whether it goes on with a last message of the assistant."""
    strict: bool = False
    """Whether it refuses keys that OpenAI does not have."""
    paths: tuple[str, ...] = ("/v1/completions", "/v1/chat/completions")
    models: tuple[str, ...] = ("m",)
    key: str | None = None
    """The one that it takes; None: any."""

    def answer(self, path: str, asked: Asked, key: str | None) -> tuple[int, Any]:
        """Status and JSON."""
        if self.key is not None and key != f"Bearer {self.key}":
            return 401, _error(f"Incorrect API key provided: {(key or '')[7:]}")
        if path not in self.paths or asked["model"] not in self.models:
            return 404, _error("no such thing here")
        if self.strict and (extra := asked.keys() & _EXTRA):
            return 422, {"detail": f"Unexpected fields: {sorted(extra)}"}
        wanted = asked.get("top_logprobs", asked.get("logprobs", 0))
        if wanted and (self.logprobs == "refused" or wanted > self.most):
            return 400, _error(f"logprobs must be at most {self.most}")
        return 200, self._reply(asked)

    def _reply(self, asked: Asked) -> Any:
        request = SampleRequest(
            prompt=asked.get("prompt") or "\n\n".join(message["content"] for message in asked["messages"]),
            seed=asked.get("seed", 0),
            max_new_tokens=asked["max_tokens"],
            temperature=asked.get("temperature", 1.0),
        )
        said = self.reply(request)
        words = said[: first_stop(said, asked.get("stop", ()))].split(" ")
        reason = "length" if len(words) >= request.max_new_tokens else "stop"
        choice = self._choice(asked, " ".join(words[: request.max_new_tokens])) | {"index": 0, "finish_reason": reason}
        usage = {"prompt_tokens": self._read(asked), "completion_tokens": min(len(words) + 1, request.max_new_tokens)}
        return {"id": "1", "object": "completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}

    def _choice(self, asked: Asked, text: str) -> dict[str, Any]:
        given = self.logprobs == "given" and asked.get("logprobs")
        likeliest = max(self.top, key=lambda token: self.top[token])
        if "prompt" in asked:
            logprobs = {"tokens": [likeliest], "top_logprobs": [self.top]}
            return {"text": text, "logprobs": logprobs if given else None}
        top = [{"token": token, "logprob": value} for token, value in self.top.items()]
        content = [{"token": likeliest, "logprob": self.top[likeliest], "top_logprobs": top}]
        message = {"role": "assistant", "content": text}
        return {"message": message, "logprobs": {"content": content} if given else None}

    def _read(self, asked: Asked) -> int:
        """Words, and in chat five marks around each message; a message that it goes on with is still open."""
        if "prompt" in asked:
            return len(asked["prompt"].split())
        last = asked["messages"][-1]
        open_one = self.continues and last["role"] == "assistant"
        return sum(len(one["content"].split()) + 5 for one in asked["messages"]) + (0 if open_one else 5)


class Server(ThreadingHTTPServer):
    """Counts what it is asked."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, answer: Callable[[str, Asked, str | None], tuple[int, Any]], faults: Faults, delay: float):
        self.answer, self.faults, self.delay = answer, faults, delay
        self.asked: list[Asked] = []
        self.spoiled: Counter[str] = Counter()
        self.keys: set[str | None] = set()
        self.busy = self.busiest = self.connections = 0
        self.lock = threading.Lock()
        self._times: Counter[str] = Counter()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def take(self, asked: Asked) -> Fault | None:
        """What is to go wrong with it."""
        with self.lock:
            self.asked.append(asked)
            self.busy += 1
            self.busiest = max(self.busy, self.busiest)
            same = json.dumps(asked, sort_keys=True)
            fault = self.faults(asked, self._times[same])
            self._times[same] += 1
            if fault:
                self.spoiled[fault] += 1
            return fault

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is no news."""


def none_wrong(asked: Asked, times: int) -> Fault | None:
    """A good day."""
    return None


@contextmanager
def serving(habits: Habits | None = None, *, faults: Faults = none_wrong, delay: float = 0.0) -> Iterator[Server]:
    """A server of these habits. `delay`: seconds before each reply."""
    with _listening(Server((habits or Habits()).answer, faults, delay)) as server:
        yield server


@contextmanager
def spoiling(upstream: str, *, faults: Faults) -> Iterator[Server]:
    """Stands before another server, whose URL ends in `/v1`."""

    def forward(path: str, asked: Asked, key: str | None) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json", "Authorization": key or ""}
        address = upstream.removesuffix("/v1") + path
        request = urllib.request.Request(address, json.dumps(asked).encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    with _listening(Server(forward, faults, 0.0)) as server:
        yield server


@contextmanager
def _listening(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers.get("Authorization")
        self.server.keys.add(key)
        fault = self.server.take(asked)
        try:
            time.sleep(self.server.delay)
            self._answer(asked, key, fault)
        finally:
            with self.server.lock:
                self.server.busy -= 1

    def _answer(self, asked: Asked, key: str | None, fault: Fault | None) -> None:
        if fault in ("429", "500"):
            return self._write(int(fault), json.dumps(_error("later")).encode(), {"Retry-After": "0.01"})
        if fault == "reset":
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        if fault == "html":
            return self._write(200, b"<html>Bad gateway</html>", {"Content-Type": "text/html"})
        if fault == "slow":
            time.sleep(1.0)
        status, said = self.server.answer(self.path, asked, key)
        if status == 200 and asked.get("stream"):
            return self._events(_spoiled(said, fault), cut=fault == "truncated")
        whole = json.dumps(_spoiled(said, fault) if status == 200 else said).encode()
        return self._write(status, whole[: len(whole) // 2] if fault == "truncated" else whole, {})

    def _events(self, said: Any, *, cut: bool) -> None:
        """The reply, a few letters in each event."""
        choice = said["choices"][0]
        text = choice["text"] if "text" in choice else choice["message"]["content"]
        pieces = [text[start : start + 3] for start in range(0, len(text), 3)]
        shape = (lambda piece: {"text": piece}) if "text" in choice else (lambda piece: {"delta": {"content": piece}})
        sent = [{"choices": [shape(piece)]} for piece in pieces[: len(pieces) // 2 if cut else None]]
        end = [
            {"choices": [shape("") | {"finish_reason": choice["finish_reason"]}]},
            {"choices": [], "usage": said["usage"]},
        ]
        lines = [f"data: {json.dumps(one)}\n\n" for one in (*sent, *(() if cut else end))]
        body = "".join([": hello\n\n", *lines, "" if cut else "data: [DONE]\n\n"]).encode()
        self._write(200, body, {"Content-Type": "text/event-stream"})

    def _write(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json", "Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def _spoiled(said: Any, fault: Fault | None) -> Any:
    choice = said["choices"][0]
    if fault == "no choices":
        return said | {"choices": []}
    if fault == "no logprobs":
        return said | {"choices": [choice | {"logprobs": None}]}
    if fault == "filtered":
        return said | {"choices": [choice | {"finish_reason": "content_filter"}]}
    if fault == "prose":
        text = {"text": PROSE} if "text" in choice else {"message": {"role": "assistant", "content": PROSE}}
        return said | {"choices": [choice | text]}
    return said


def _error(message: str) -> Any:
    return {"error": {"message": message, "type": "error", "code": None}}
