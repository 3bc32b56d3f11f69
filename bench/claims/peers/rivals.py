"""Chains beside every peer that this machine has."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import torch

from measuring.chains import Chains
from measuring.models import endless, endless_format, solon_engine, threads
from measuring.result import Bound, Result
from measuring.script import Options, Skip, result
from measuring.turns import tell
from peers.generate import ContinuousBatching, Generate, at_best_size
from peers.llama_server import llama_server
from peers.vllm import vllm
from solon.lm.protocols import LanguageModel
from solon.models.load import load_model
from solon.models.runtime import resolve_dtype

GENERATE, CONTINUOUS, LLAMA, VLLM = (
    "transformers generate",
    "transformers continuous batching",
    "llama.cpp server",
    "vLLM",
)


def against_all(
    claim: str, chains: Chains, folder: Path, options: Options, asked: Mapping[str, Bound]
) -> Iterator[Result]:
    """Chains per second of Solon and of each peer, in turns. `asked`: what is promised, by the peer's name."""
    dtype = str(resolve_dtype("auto", torch.device("cpu"))).removeprefix("torch.")
    with tempfile.TemporaryDirectory() as work, ExitStack() as stack:
        model, format = endless(folder, Path(work) / "endless"), endless_format(folder)
        peers, note = _peers(model, chains, dtype, Path(work), stack)
        models: dict[str, LanguageModel] = {"solon": solon_engine(model, format, dtype=dtype)} | peers
        rates = chains.per_second(models, options.repetitions)
    setting = f"{chains.setting}, {dtype}, {threads()} threads{note}"
    for peer in peers:
        yield result(
            claim,
            setting=setting,
            peer=peer,
            peer_figure=rates[peer],
            solon_figure=rates["solon"],
            unit="chains/s",
            asked=asked.get(peer),
        )


def _peers(
    model: Path, chains: Chains, dtype: str, work: Path, stack: ExitStack
) -> tuple[dict[str, LanguageModel], str]:
    """Every peer by its name, and what to say of their settings."""
    format = endless_format(model)
    loaded = load_model(model, dtype=getattr(torch, dtype), device="cpu")
    rows = len(chains.prompts)
    paged = load_model(model, dtype=getattr(torch, dtype), device="cpu")
    best, size = at_best_size(
        lambda size: Generate(loaded, format, size), lambda peer: chains.write(peer, rows // 4 or 1), rows
    )
    found: dict[str, LanguageModel] = {GENERATE: best, CONTINUOUS: ContinuousBatching(paged, format)}
    others: dict[str, AbstractContextManager[LanguageModel]] = {
        LLAMA: llama_server(model, work, loaded.tokenizer, format, dtype=dtype, rows=min(rows, 64)),
        VLLM: vllm(model, work / "vllm.log", loaded.tokenizer, format, dtype=dtype),
    }
    for name, opening in others.items():
        try:
            found[name] = stack.enter_context(opening)
        except Skip as lacking:
            tell(f"without {name}: {lacking}")
    return found, f", generate in batches of {size}"
