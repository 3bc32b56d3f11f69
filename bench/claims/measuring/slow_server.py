"""A server of text completions that takes a fixed time for each reply, however many it is asked for at once:

    python slow_server.py SECONDS

It prints its port, and ends with its standard input. It runs in a process of its own, so as not to be measured itself.
"""

from __future__ import annotations

import asyncio
import json
import sys

_TOP = {"A": -0.2, "B": -1.9} | {f" word{number}": -5.0 - number for number in range(18)}
_REPLY = {
    "id": "1",
    "object": "text_completion",
    "created": 0,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "finish_reason": "length",
            "text": "A",
            "logprobs": {"tokens": ["A"], "token_logprobs": [-0.2], "text_offset": [0], "top_logprobs": [_TOP]},
        }
    ],
    "usage": {"prompt_tokens": 300, "completion_tokens": 1, "total_tokens": 301},
}
_BODY = json.dumps(_REPLY).encode()
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(_BODY)


class Connection(asyncio.Protocol):
    """One request after the other, each answered after the delay."""

    def __init__(self, delay: float):
        self._delay, self._read = delay, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, end, body = self._read.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]):
            return
        self._read = b""
        asyncio.get_running_loop().call_later(self._delay, self._transport.write, _HEAD + _BODY)


async def serve(delay: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(delay), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
