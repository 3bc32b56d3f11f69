"""Teaching the embedded model its world, from random weights.

Two stages: random token sequences that repeat themselves, until copying is learnt; then the corpus. What the model can do
afterwards is measured by `embedded.skills`, never assumed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from solon.embedded.corpus import documents
from solon.seeds import derive_seed, generator

# Shapes: B sequences, T tokens, V vocabulary.


@dataclass(frozen=True, kw_only=True)
class PretrainConfig:
    """Architecture and schedule. Sizes: the feasibility study's; schedule: measured, see docs/log.md."""

    seed: int = 0
    hidden: int = 192
    layers: int = 6
    heads: int = 4
    intermediate: int = 512
    context: int = 512
    copy_tokens: int = 3_000_000
    corpus_tokens: int = 45_000_000
    batch_tokens: int = 3_072
    """Padded tokens per optimiser step."""
    chunk_documents: int = 4_096
    """Documents sorted by length together."""
    copy_learning_rate: float = 3e-3
    learning_rate: float = 2e-3
    final_share: float = 0.02
    """The learning rate's last value, as a share of its first."""
    constant_share: float = 0.4
    """Share of the corpus stage at the full learning rate; then linear decay."""
    warmup_steps: int = 100
    weight_decay: float = 0.05
    max_grad_norm: float = 1.0


Report = Callable[[dict[str, float]], None]


def build_model(config: PretrainConfig, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A Llama with tied embeddings; attention starts out near the identity (mimetic initialisation), which helps copying.

    Source: Trockman and Kolter 2023, "Mimetic initialization of self-attention layers"; simplified: W_k near W_q and
    W_o near the transpose of W_v, per layer.
    """
    torch.manual_seed(derive_seed(config.seed, "init") % 2**63)
    llama = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=config.hidden,
        intermediate_size=config.intermediate,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.heads,
        max_position_embeddings=config.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        attn_implementation="eager",
    )
    model = LlamaForCausalLM(llama)
    with torch.no_grad():
        for layer in model.model.layers:
            attention: Any = layer.self_attn
            noise = torch.randn_like(attention.k_proj.weight) * 0.02
            torch.nn.init.normal_(attention.q_proj.weight, std=1 / math.sqrt(config.hidden) * 0.7)
            attention.k_proj.weight.copy_(0.8 * attention.q_proj.weight + noise)
            torch.nn.init.orthogonal_(attention.v_proj.weight)
            attention.v_proj.weight.mul_(0.7)
            attention.o_proj.weight.copy_(0.6 * attention.v_proj.weight.T + noise.T)
    return model


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Token ids, and the weight of every token as a target; padding weighs nothing."""

    ids_BT: Tensor
    weight_BT: Tensor


def copy_batches(config: PretrainConfig, vocabulary: int) -> Iterator[Batch]:
    """Random tokens, then the same tokens again; only the repetition counts."""
    step = 0
    while True:
        rng = generator(config.seed, "copy", step)
        length = int(rng.integers(8, 49))
        rows = max(1, config.batch_tokens // (2 * length))
        half = rng.integers(10, vocabulary, size=(rows, length))
        ids = np.concatenate([half, half], axis=1)
        weight = np.zeros(ids.shape, dtype=np.float32)
        weight[:, length + 1 :] = 1.0
        yield Batch(ids_BT=torch.from_numpy(ids), weight_BT=torch.from_numpy(weight))
        step += 1


def corpus_batches(config: PretrainConfig, tokenizer: PreTrainedTokenizerFast) -> Iterator[Batch]:
    """Documents in chunks, sorted by length, cut into batches of about `batch_tokens`, in an order of the seed."""
    chunk = 0
    while True:
        docs = list(documents(config.seed, chunk * config.chunk_documents, config.chunk_documents))
        flat: Any = tokenizer([segment.text for doc in docs for segment in doc], add_special_tokens=False)["input_ids"]
        pieces = iter(flat)
        rows = []
        for doc in docs:
            parts = [(next(pieces), segment.weight) for segment in doc]
            rows.append(
                ([i for ids, _ in parts for i in ids], [weight for ids, weight in parts for _ in ids])
            )
        rows.sort(key=lambda row: len(row[0]))
        batches = _cut(rows, config.batch_tokens)
        for index in generator(config.seed, "order", chunk).permutation(len(batches)):
            yield _pad(batches[int(index)], tokenizer.pad_token_id or 0)
        chunk += 1


Row = tuple[list[int], list[float]]


def _cut(rows: Sequence[Row], batch_tokens: int) -> list[list[Row]]:
    batches: list[list[Row]] = [[]]
    for row in rows:
        if batches[-1] and (len(batches[-1]) + 1) * len(row[0]) > batch_tokens:
            batches.append([])
        batches[-1].append(row)
    return batches


def _pad(rows: Sequence[Row], pad: int) -> Batch:
    width = max(len(ids) for ids, _ in rows)
    ids_BT = torch.tensor([ids + [pad] * (width - len(ids)) for ids, _ in rows])
    weight_BT = torch.tensor([weights + [0.0] * (width - len(weights)) for _, weights in rows])
    return Batch(ids_BT=ids_BT, weight_BT=weight_BT)


def weighted_loss(model: LlamaForCausalLM, batch: Batch) -> Tensor:
    """Weighted mean next-token cross-entropy. Padding stands on the right, so the causal mask already hides it."""
    with torch.autocast("cpu", torch.bfloat16):
        logits_BTV = model(input_ids=batch.ids_BT[:, :-1], use_cache=False).logits
    losses = F.cross_entropy(logits_BTV.float().flatten(0, 1), batch.ids_BT[:, 1:].flatten(), reduction="none")
    weight = batch.weight_BT[:, 1:].flatten()
    return (losses * weight).sum() / weight.sum()


@dataclass(kw_only=True)
class _Stage:
    name: str
    batches: Iterator[Batch]
    tokens: int
    learning_rate: float


def _rate(config: PretrainConfig, stage: _Stage, done: float, step: int) -> float:
    warm = min(1.0, (step + 1) / config.warmup_steps)
    slope = min(1.0, (1.0 - done) / (1.0 - config.constant_share))
    return stage.learning_rate * warm * max(config.final_share, slope)


def _run(model: LlamaForCausalLM, config: PretrainConfig, stage: _Stage, report: Report) -> None:
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=stage.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay, fused=True
    )
    seen = step = 0
    started, smooth = time.monotonic(), 0.0
    while seen < stage.tokens:
        batch = next(stage.batches)
        for group in optimiser.param_groups:
            group["lr"] = _rate(config, stage, seen / stage.tokens, step)
        loss = weighted_loss(model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        seen, step = seen + batch.ids_BT.numel(), step + 1
        smooth = loss.item() if step == 1 else 0.98 * smooth + 0.02 * loss.item()
        if step % 100 == 0 or seen >= stage.tokens:
            seconds = time.monotonic() - started
            report({"copy": float(stage.name == "copy"), "step": step, "tokens": seen, "loss": smooth, "seconds": seconds})


def pretrain(config: PretrainConfig, tokenizer: PreTrainedTokenizerFast, report: Report) -> LlamaForCausalLM:
    """The taught model. `report` is called every hundred steps."""
    model = build_model(config, tokenizer)
    model.train()
    stages = (
        _Stage(
            name="copy",
            batches=copy_batches(config, len(tokenizer)),
            tokens=config.copy_tokens,
            learning_rate=config.copy_learning_rate,
        ),
        _Stage(
            name="corpus",
            batches=corpus_batches(config, tokenizer),
            tokens=config.corpus_tokens,
            learning_rate=config.learning_rate,
        ),
    )
    for stage in stages:
        _run(model, config, stage, report)
    return model.eval()
