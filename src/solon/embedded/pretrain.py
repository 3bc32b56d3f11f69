"""Teaching the embedded model its world, from random weights.

Two stages: random token sequences that repeat themselves, until copying is learnt; then the corpus. What the model can do
afterwards is measured by `embedded.skills`, never assumed.
"""

from __future__ import annotations

import itertools
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
from solon.train.loop import Checkpoints

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
    copy_tokens: int = 1_200_000
    """At most: the copy stage ends when its loss falls below `copy_loss`."""
    copy_loss: float = 0.8
    copy_batch_tokens: int = 1_536
    corpus_tokens: int = 24_000_000
    batch_tokens: int = 2_048
    """Padded tokens per optimiser step."""
    chunk_documents: int = 4_096
    """Documents sorted by length together."""
    copy_learning_rate: float = 2e-3
    learning_rate: float = 2e-3
    final_share: float = 0.02
    """The learning rate's last value, as a share of its first."""
    constant_share: float = 0.4
    """Share of the corpus stage at the full learning rate; then linear decay."""
    warmup_steps: int = 100
    weight_decay: float = 0.05
    max_grad_norm: float = 1.0
    checkpoint_chunks: int = 4


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


def copy_batches(config: PretrainConfig, vocabulary: int) -> Iterator[list[Batch]]:
    """Random tokens, then the same tokens again; only the repetition counts. A hundred batches at a time."""
    for chunk in itertools.count():
        rng = generator(config.seed, "copy", chunk)
        yield [_copy_batch(rng, config.copy_batch_tokens, vocabulary) for _ in range(100)]


def _copy_batch(rng: np.random.Generator, batch_tokens: int, vocabulary: int) -> Batch:
    length = int(rng.integers(4, 17))
    half = rng.integers(10, vocabulary, size=(max(1, batch_tokens // (2 * length)), length))
    ids = np.concatenate([half, half], axis=1)
    weight = np.zeros(ids.shape, dtype=np.float32)
    weight[:, length + 1 :] = 1.0
    return Batch(ids_BT=torch.from_numpy(ids), weight_BT=torch.from_numpy(weight))


def corpus_batches(config: PretrainConfig, tokenizer: PreTrainedTokenizerFast) -> Iterator[list[Batch]]:
    """Documents in chunks, sorted by length, cut into batches of about `batch_tokens`, in an order of the seed."""
    for chunk in itertools.count():
        docs = list(documents(config.seed, chunk * config.chunk_documents, config.chunk_documents))
        flat: Any = tokenizer([segment.text for doc in docs for segment in doc], add_special_tokens=False)["input_ids"]
        pieces = iter(flat)
        rows = []
        for doc in docs:
            parts = [(next(pieces), segment.weight) for segment in doc]
            rows.append(([i for ids, _ in parts for i in ids], [weight for ids, weight in parts for _ in ids]))
        rows.sort(key=lambda row: len(row[0]))
        batches = [_pad(batch, tokenizer.pad_token_id or 0) for batch in _cut(rows, config.batch_tokens)]
        yield [batches[int(i)] for i in generator(config.seed, "order", chunk).permutation(len(batches))]


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
    logits_BTV = model(input_ids=batch.ids_BT[:, :-1], use_cache=False).logits
    losses = F.cross_entropy(logits_BTV.float().flatten(0, 1), batch.ids_BT[:, 1:].flatten(), reduction="none")
    weight = batch.weight_BT[:, 1:].flatten()
    return (losses * weight).sum() / weight.sum()


@dataclass(frozen=True, kw_only=True)
class _Stage:
    name: str
    chunks: Callable[[], Iterator[list[Batch]]]
    tokens: int
    learning_rate: float
    enough: float = 0.0
    """The stage ends early when the smoothed loss falls below this."""


@dataclass(kw_only=True)
class _Position:
    """Where training stands: everything but the tensors, as kept in a checkpoint."""

    stage: int = 0
    chunk: int = 0
    step: int = 0
    seen: int = 0
    loss: float = float("nan")
    seconds: float = 0.0


def _rate(config: PretrainConfig, stage: _Stage, done: float, step: int) -> float:
    warm = min(1.0, (step + 1) / config.warmup_steps)
    slope = min(1.0, (1.0 - done) / (1.0 - config.constant_share))
    return stage.learning_rate * warm * max(config.final_share, slope)


class _Teacher:
    """One model, its optimiser and where they stand."""

    def __init__(self, model: LlamaForCausalLM, config: PretrainConfig) -> None:
        self.config, self.at = config, _Position()
        self.master = {name: p.detach().float().clone().requires_grad_() for name, p in model.named_parameters()}
        self.model = model.to(torch.bfloat16)
        self.optimiser = self._new_optimiser()

    def _new_optimiser(self) -> torch.optim.AdamW:
        decay = self.config.weight_decay
        return torch.optim.AdamW(self.master.values(), betas=(0.9, 0.98), weight_decay=decay, fused=True)

    def step(self, batch: Batch, stage: _Stage) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = _rate(self.config, stage, self.at.seen / stage.tokens, self.at.step)
        loss = weighted_loss(self.model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        for name, p in self.model.named_parameters():
            self.master[name].grad, p.grad = p.grad.float(), None  # type: ignore[union-attr]
        torch.nn.utils.clip_grad_norm_(self.master.values(), self.config.max_grad_norm)
        self.optimiser.step()
        self.publish()
        value = loss.item()
        self.at.loss = value if self.at.step == 0 else 0.98 * self.at.loss + 0.02 * value
        self.at.step += 1
        self.at.seen += batch.ids_BT.numel()

    @torch.no_grad()
    def publish(self) -> None:
        """The model's bfloat16 weights from the float32 ones."""
        for name, p in self.model.named_parameters():
            p.copy_(self.master[name])

    def finished(self, stage: _Stage) -> bool:
        return self.at.seen >= stage.tokens or (self.at.step > self.config.warmup_steps and self.at.loss < stage.enough)

    def next_stage(self) -> None:
        self.at = _Position(stage=self.at.stage + 1, seconds=self.at.seconds)
        self.optimiser = self._new_optimiser()

    def tensors(self) -> dict[str, Tensor]:
        out = {f"weights.{name}": p.detach().clone() for name, p in self.master.items()}
        for name, p in self.master.items():
            out |= {f"{key}.{name}": value.clone() for key, value in self.optimiser.state.get(p, {}).items()}
        return out

    @torch.no_grad()
    def load(self, tensors: dict[str, Tensor], position: dict[str, Any]) -> None:
        self.at = _Position(**position)
        for name, p in self.master.items():
            p.copy_(tensors[f"weights.{name}"])
            keys = [key for key in ("step", "exp_avg", "exp_avg_sq") if f"{key}.{name}" in tensors]
            if keys:
                self.optimiser.state[p] = {key: tensors[f"{key}.{name}"].clone() for key in keys}
        self.publish()


def _stages(config: PretrainConfig, tokenizer: PreTrainedTokenizerFast) -> tuple[_Stage, ...]:
    copying = _Stage(
        name="copy",
        chunks=lambda: copy_batches(config, len(tokenizer)),
        tokens=config.copy_tokens,
        learning_rate=config.copy_learning_rate,
        enough=config.copy_loss,
    )
    corpus = _Stage(
        name="corpus",
        chunks=lambda: corpus_batches(config, tokenizer),
        tokens=config.corpus_tokens,
        learning_rate=config.learning_rate,
    )
    return copying, corpus


def pretrain(
    config: PretrainConfig, tokenizer: PreTrainedTokenizerFast, report: Report, checkpoints: Checkpoints
) -> LlamaForCausalLM:
    """The taught model. `report` is called after every chunk; checkpoints are kept every few chunks."""
    teacher = _Teacher(build_model(config, tokenizer).train(), config)
    saved = checkpoints.latest()
    if saved is not None:
        teacher.load(saved[1], saved[2])
    stages = _stages(config, tokenizer)
    while teacher.at.stage < len(stages):
        stage = stages[teacher.at.stage]
        for batches in itertools.islice(stage.chunks(), teacher.at.chunk, None):
            began = time.monotonic()
            for batch in batches:
                if not teacher.finished(stage):
                    teacher.step(batch, stage)
            teacher.at.chunk += 1
            teacher.at.seconds += time.monotonic() - began
            report({"stage": teacher.at.stage, "step": teacher.at.step, "tokens": teacher.at.seen,
                    "loss": teacher.at.loss, "seconds": teacher.at.seconds})
            if teacher.finished(stage):
                break
            if teacher.at.chunk % config.checkpoint_chunks == 0:
                checkpoints.save(teacher.at.step, teacher.tensors(), vars(teacher.at))
        teacher.next_stage()
    return teacher.model.eval()
