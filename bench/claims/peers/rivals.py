"""Chains beside every peer that this machine has."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from measuring.chains import Chains
from measuring.models import endless, endless_format, solon_engine, threads
from measuring.result import Bound, Result
from measuring.script import Options, Skip, result
from measuring.turns import tell
from peers.batch import BatchPeer
from peers.generate import ContinuousBatching, Generate, at_best_size
from peers.llama_server import LlamaServer, llama_server
from peers.vllm_process import Vllm, vllm
from solon.lm.protocols import LanguageModel
from solon.models.load import LoadedModel, load_model, load_tokenizer
from solon.models.runtime import resolve_dtype
from solon.prompting.asking import critique_format
from solon.prompting.chat_template import DialogueFormat

GENERATE, CONTINUOUS = "transformers generate", "transformers continuous batching"
LLAMA, VLLM = "llama.cpp server", "vLLM"


@dataclass(frozen=True, kw_only=True)
class Work:
    """What all sides are to do, and with which model."""

    chains: Chains
    model: Path
    """Has no end token."""
    format: DialogueFormat
    dtype: str
    folder: Path
    """For files that a peer needs."""
    stack: ExitStack
    """Ends what a peer began."""

    def load(self) -> LoadedModel:
        return load_model(self.model, dtype=getattr(torch, self.dtype), device="cpu")


def _generate(work: Work) -> Generate:
    loaded, chains = work.load(), work.chains
    short = replace(chains, new_tokens=max(1, chains.new_tokens // 4))
    return at_best_size(lambda size: Generate(loaded, work.format, size), short.write, len(chains.prompts))


def _continuous(work: Work) -> ContinuousBatching:
    return ContinuousBatching(work.load(), work.format)


def _llama(work: Work) -> LlamaServer:
    tokenizer, rows = load_tokenizer(work.model), min(len(work.chains.prompts), 64)
    opening = llama_server(work.model, work.folder, tokenizer, work.format, dtype=work.dtype, rows=rows)
    return work.stack.enter_context(opening)


def _vllm(work: Work) -> Vllm:
    tokenizer, log = load_tokenizer(work.model), work.folder / "vllm.log"
    return work.stack.enter_context(vllm(work.model, log, tokenizer, work.format, dtype=work.dtype))


PEERS: Mapping[str, Callable[[Work], BatchPeer | LlamaServer]] = {
    GENERATE: _generate,
    CONTINUOUS: _continuous,
    LLAMA: _llama,
    VLLM: _vllm,
}


def against_all(
    claim: str, chains: Chains, folder: Path, options: Options, asked: Mapping[str, Bound]
) -> Iterator[Result]:
    """Chains per second of Solon and of each peer, in turns. `asked`: what is promised, by the peer's name."""
    dtype = str(resolve_dtype("auto", torch.device("cpu"))).removeprefix("torch.")
    with tempfile.TemporaryDirectory() as kept, ExitStack() as stack:
        model, format = endless(folder, Path(kept) / "endless"), endless_format(folder)
        chains = replace(chains, asked=critique_format(format, "auto"))
        work = Work(chains=chains, model=model, format=format, dtype=dtype, folder=Path(kept), stack=stack)
        peers = dict(_opened(work, options.peers))
        models: dict[str, LanguageModel] = {"solon": solon_engine(model, format, dtype=dtype), **peers}
        rates = chains.per_second(models, options.repetitions)
    for name, peer in peers.items():
        yield result(
            claim,
            setting=f"{chains.setting}, {dtype}, {threads()} threads{peer.note}",
            peer=name,
            peer_figure=rates[name],
            solon_figure=rates["solon"],
            unit="chains/s",
            asked=asked.get(name),
        )


def _opened(work: Work, chosen: Sequence[str]) -> Iterator[tuple[str, BatchPeer | LlamaServer]]:
    """Peers by their names, those with a chosen word in their names if any is chosen; what is not there is told."""
    for name, open_peer in PEERS.items():
        if chosen and not any(word in name for word in chosen):
            continue
        try:
            yield name, open_peer(work)
        except Skip as lacking:
            tell(f"without {name}: {lacking}")
