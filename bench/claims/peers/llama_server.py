"""llama.cpp's own server with the same weights, in the same arithmetic; every row has a connection of its own."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from measuring.models import threads
from measuring.script import ROOT, Skip
from peers.gguf_weights import write_gguf
from solon.lm.protocols import Capabilities, Completion, OptionScores, Sampling
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.context import Context

SERVER = ROOT / ".peers/llama-server"
SAMPLING = {"temperature": 1.0, "samplers": ["temperature"], "ignore_eos": True, "return_tokens": True}
READY_S = 120
SLOT = 2048
"""Tokens that a row may have."""


class LlamaServer:
    """`LanguageModel` of a server at an address."""

    identity = "peer"
    can = Capabilities(logprobs="none", prefill=True, seed=False, context=None)
    note = ""

    def __init__(self, url: str, tokenizer: PreTrainedTokenizerBase, format: DialogueFormat, rows: int):
        self.url, self.tokenizer, self.format = url, tokenizer, format
        self._threads = ThreadPoolExecutor(max_workers=rows)

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        prompt = self.format.render(context)
        ids = self.tokenizer.encode(prompt, add_special_tokens=False)
        asked = {"prompt": ids, "n_predict": sampling.max_new_tokens}
        told = await asyncio.get_running_loop().run_in_executor(self._threads, self._post, asked)
        assert len(told["tokens"]) == sampling.max_new_tokens, told
        text = str(self.tokenizer.decode(told["tokens"], skip_special_tokens=True)).strip()
        return Completion(prompt=prompt, text=text, tokens=sampling.max_new_tokens, ended="length")

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        raise NotImplementedError

    def _post(self, asked: dict[str, Any]) -> dict[str, Any]:
        data = json.dumps(SAMPLING | asked).encode()
        request = urllib.request.Request(f"{self.url}/completion", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            told: dict[str, Any] = json.load(answer)
            return told


@contextmanager
def llama_server(
    folder: Path, work: Path, tokenizer: PreTrainedTokenizerBase, format: DialogueFormat, *, dtype: str, rows: int
) -> Iterator[LlamaServer]:
    """A server of the model in `folder`, with a slot for each row. Raises `Skip` where it is not installed."""
    if not SERVER.exists():
        raise Skip("llama.cpp's server is not installed (make install-peers)")
    weights = work / "model.gguf"
    write_gguf(folder, weights, dtype)
    port = _free_port()
    command = (SERVER, "--model", weights, "--port", port, "--parallel", rows, "--ctx-size", rows * SLOT)
    with subprocess.Popen(
        [*map(str, (*command, "--threads", threads(), "--threads-batch", threads()))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(f"{url}/health", process)
            yield LlamaServer(url, tokenizer, format, rows)
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(url):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise RuntimeError("llama.cpp's server did not start")
