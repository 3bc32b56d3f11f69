"""The engines, one a file. A file `toy.py` with a function `open_engine` is the engine `toy`: nothing lists it.

A name is looked up without importing any engine, so an engine that needs no torch costs none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from solon.config.engines import ENGINES, EndpointSection, VllmSection
from solon.errors import ConfigError
from solon.lm.protocols import LanguageModel, Progress
from solon.prompting.chat_template import DialogueFormat
from solon.text import did_you_mean, listed

Count = Callable[[str, int], None]
"""Called with what happened to requests to a server, e.g. `failed: 429`, and how often."""


def uncounted(name: str, number: int) -> None:
    """For who does not want to know."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A model that a run wants opened, and its settings. An engine uses those that concern it."""

    model: str
    """A folder, or another name by which the engine finds the model."""
    format: DialogueFormat
    dtype: str = "auto"
    device: str = "auto"
    trust_remote_code: bool = False
    batch_size: int = 128
    """Rows computed together."""
    progress: Progress | None = None
    """Called with rows and tokens while they are computed."""
    endpoint: EndpointSection | None = None
    """How a server is asked. None: as by default."""
    vllm: VllmSection | None = None
    """How vLLM uses the machine. None: as by default."""
    ledger: Path | None = None
    """A file that keeps what a server's work has cost, from one process to the next."""
    count: Count = uncounted


def reads_folder(name: str) -> bool:
    """Whether the engine's models are folders with a tokenizer and weights. All are, unless its file says otherwise."""
    return name == "local" or getattr(import_module(f"{__name__}.{name}"), "READS_FOLDER", True)


def takes_process(name: str) -> bool:
    """Whether the engine sets up its process for itself, threads and all, so that it wants one of its own."""
    return name != "local" and getattr(import_module(f"{__name__}.{name}"), "TAKES_PROCESS", False)


def check_engine(name: str) -> None:
    """Raises `ConfigError` if there is no such engine, or if a library that its file says it `NEEDS` is missing; the
    extra of the engine's name brings them."""
    if name not in ENGINES:
        hint = did_you_mean(name, ENGINES) or f"there are {listed(ENGINES)}"
        raise ConfigError(f"there is no engine `{name}`", hint=hint)
    for needed in getattr(import_module(f"{__name__}.{name}"), "NEEDS", ()):
        if find_spec(needed) is None:
            what = f"the engine {name} needs {needed}, which is missing"
            raise ConfigError(what, hint=f"pip install 'solon[{name}]'")


def open_engine(name: str, spec: ModelSpec) -> LanguageModel:
    """The model, driven by the engine of this name. Raises as `check_engine`."""
    check_engine(name)
    model: LanguageModel = import_module(f"{__name__}.{name}").open_engine(spec)
    return model
