"""A server that answers every request in 50 ms is kept busy: 1,000 verdicts, 64 at once, at 90% of the ideal pace.

Ideal: every reply is followed by the next request at once, so 64 replies come each 50 ms. Measured are the whole calls
of the engine, rendered, sent, read and scored. For comparison, OpenAI's client by itself over its two transports.

    python bench/claims/endpoint.py [--quick]
"""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openai

from measuring import slow_server
from measuring.result import Result, at_least
from measuring.script import Options, result, run
from measuring.turns import median_seconds
from solon.config.engines import EndpointSection
from solon.lm.batcher import run as run_loop
from solon.lm.batcher import shared_loop, together
from solon.lm.engines import ModelSpec, open_engine
from solon.prompting.comparison import OPTIONS
from solon.prompting.context import Context
from solon.prompting.dialogue import HumanAssistant

DELAY, AT_ONCE = 0.05, 64
PROMPTS = tuple(f"{'A word of what is to be judged. ' * 40}{number}\n\nThe answer is:" for number in range(1000))


@contextmanager
def serving() -> Iterator[str]:
    """The server's address."""
    command = [sys.executable, str(Path(slow_server.__file__)), str(DELAY)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin and server.stdout
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        server.stdin.close()


class Bare:
    """The client library alone, with one log-probability request a prompt."""

    def __init__(self, url: str, transport: type[object]):
        self._url, self._transport = url, transport

    def ask(self, prompts: tuple[str, ...]) -> None:
        run_loop(self._ask(prompts))

    async def _ask(self, prompts: tuple[str, ...]) -> None:
        turns = asyncio.Semaphore(AT_ONCE)
        http = self._transport()
        async with openai.AsyncOpenAI(base_url=self._url, api_key="none", http_client=http) as client:  # type: ignore[arg-type]

            async def one(prompt: str) -> None:
                async with turns:
                    await client.completions.create(model="m", prompt=prompt, max_tokens=1, logprobs=20)

            await asyncio.gather(*map(one, prompts))


def measure(options: Options) -> Iterator[Result]:
    prompts = PROMPTS[: options.size(1000, 200)]
    with serving() as url, shared_loop():
        section = EndpointSection(concurrency=AT_ONCE)
        model = open_engine("endpoint", ModelSpec(model=f"{url}#m", format=HumanAssistant(), endpoint=section))

        def ask() -> None:
            run_loop(together(model.score(Context(prefill=prompt), OPTIONS) for prompt in prompts))

        ask()  # warm: connections are open
        aio, default = Bare(url, openai.DefaultAioHttpClient), Bare(url, openai.DefaultAsyncHttpxClient)
        peers = {"OpenAI's client over aiohttp": aio, "OpenAI's client as it comes": default}
        sides = {"solon": ask} | {name: (lambda peer=peer: peer.ask(prompts)) for name, peer in peers.items()}
        pace = {name: len(prompts) / taken for name, taken in median_seconds(sides, options.repetitions).items()}
    ideal = len(prompts) / (math.ceil(len(prompts) / AT_ONCE) * DELAY)
    for name, figure in {"the ideal": ideal, **pace}.items():
        if name != "solon":
            yield result(
                "verdicts of a server that answers in 50 ms",
                setting=f"{len(prompts):,} calls, {AT_ONCE} at once",
                peer=name,
                peer_figure=figure,
                solon_figure=pace["solon"],
                unit="calls/s",
                asked=at_least(0.9) if name == "the ideal" else None,
                packages=("openai", "aiohttp"),
            )


if __name__ == "__main__":
    raise SystemExit(run(__doc__, measure))
