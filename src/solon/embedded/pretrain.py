"""Teaching the embedded model its world, from random weights.

Four stages: random token sequences that repeat themselves, for copying; the corpus; judging, where most has to be
unlearnt; and practice in what was taught least. What the model can do afterwards is measured by `embedded.skills`,
never assumed.
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

from solon.embedded.corpus import CORPUS, JUDGING, PRACTICE, Course, Document, documents
from solon.embedded.recipe import PretrainConfig
from solon.errors import DivergedError
from solon.seeds import derive_seed, generator
from solon.train.loop import Checkpoints

# Shapes: B sequences, T tokens, V vocabulary.


EAGER: dict[str, Any] = {"attn_implementation": "eager"}
"""Plain matrix products: for short rows on a CPU faster than the fused kernels (measured, see docs/log.md)."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far pretraining has come."""

    stage: str
    """`copy`, `corpus`, `judging` or `practice`."""
    chunk: int
    """Chunks of the stage finished."""
    step: int
    """Optimiser steps of the stage."""
    tokens: int
    """Tokens of the stage, padding counted."""
    loss: float
    """Running mean over about 50 steps, in nats per weighted token; NaN before the first step."""
    total_tokens: int
    """Tokens of all stages, padding counted."""
    seconds: float
    """Time spent in optimiser steps over all stages, without what a kill undid; up to the last finished chunk."""


Report = Callable[[Standing], None]


def build_model(config: PretrainConfig, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A Llama with tied embeddings; attention starts near the identity (mimetic initialisation), which helps copying.

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
        **EAGER,
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
    tied_BT: Tensor
    """Where another token is as good a target as `ids_BT`'s, that one; elsewhere the same."""
    weight_BT: Tensor


def copy_batches(config: PretrainConfig, vocabulary: int, start: int = 0) -> Iterator[list[Batch]]:
    """Random tokens, then the same tokens again; only the repetition counts. A hundred batches at a time."""
    for chunk in itertools.count(start):
        rng = generator(config.seed, "copy", chunk)
        yield [_copy_batch(rng, config.copy_batch_tokens, vocabulary) for _ in range(100)]


def _copy_batch(rng: np.random.Generator, batch_tokens: int, vocabulary: int) -> Batch:
    length = int(rng.integers(4, 17))
    half = rng.integers(10, vocabulary, size=(max(1, batch_tokens // (2 * length)), length))
    ids = np.concatenate([half, half], axis=1)
    weight = np.zeros(ids.shape, dtype=np.float32)
    weight[:, length + 1 :] = 1.0
    ids_BT = torch.from_numpy(ids)
    return Batch(ids_BT=ids_BT, tied_BT=ids_BT, weight_BT=torch.from_numpy(weight))


def corpus_batches(
    config: PretrainConfig, tokenizer: PreTrainedTokenizerFast, start: int = 0, course: Course = CORPUS
) -> Iterator[list[Batch]]:
    """Documents in chunks from `start` on, sorted by length, cut into batches of at most `batch_tokens` (or of one
    document), in an order of the seed."""
    for chunk in itertools.count(start):
        docs = list(documents(config.seed, chunk * config.chunk_documents, config.chunk_documents, course))
        rows = sorted(_tokenized(docs, tokenizer), key=len)
        batches = [_pad(batch, tokenizer.pad_token_id or 0) for batch in _cut(rows, config.batch_tokens)]
        order = generator(config.seed, "order", *([] if course is CORPUS else [course.name]), chunk)
        yield [batches[int(i)] for i in order.permutation(len(batches))]


Token = tuple[int, int, float]
"""Its id, that of the token as good in its place (by default the same), and its weight."""
Row = list[Token]


def _tokenized(docs: Sequence[Document], tokenizer: PreTrainedTokenizerFast) -> Iterator[Row]:
    segments = [segment for doc in docs for segment in doc]
    said: Any = tokenizer([segment.text for segment in segments], add_special_tokens=False)["input_ids"]
    tied: Any = tokenizer([segment.tied or segment.text for segment in segments], add_special_tokens=False)["input_ids"]
    pieces = zip(said, tied, strict=True)
    for doc in docs:
        yield [(one, other, segment.weight) for segment in doc for one, other in zip(*next(pieces), strict=True)]


def _cut(rows: Sequence[Row], batch_tokens: int) -> list[list[Row]]:
    batches: list[list[Row]] = [[]]
    for row in rows:
        if batches[-1] and (len(batches[-1]) + 1) * len(row) > batch_tokens:
            batches.append([])
        batches[-1].append(row)
    return batches


def _pad(rows: Sequence[Row], pad: int) -> Batch:
    width = max(map(len, rows))
    filled = [row + [(pad, pad, 0.0)] * (width - len(row)) for row in rows]
    ids_BT, tied_BT, weight_BT = (torch.tensor([[token[i] for token in row] for row in filled]) for i in range(3))
    return Batch(ids_BT=ids_BT, tied_BT=tied_BT, weight_BT=weight_BT)


def weighted_loss(model: LlamaForCausalLM, batch: Batch) -> Tensor:
    """Weighted mean next-token cross-entropy; where two tokens are as good, the mean of both: a target of half each.

    Padding stands on the right, so the causal mask already hides it.
    """
    logits = model(input_ids=batch.ids_BT[:, :-1], use_cache=False).logits.float().flatten(0, 1)
    target, tied, weight = (of[:, 1:].flatten() for of in (batch.ids_BT, batch.tied_BT, batch.weight_BT))
    losses = F.cross_entropy(logits, target, reduction="none")
    ties = (tied != target).nonzero().squeeze(1)
    surplus = (F.cross_entropy(logits[ties], tied[ties], reduction="none") - losses[ties]) / 2
    losses = losses.index_add(0, ties, surplus)
    return (losses * weight).sum() / weight.sum()


@dataclass(frozen=True, kw_only=True)
class _Stage:
    name: str
    chunks: Callable[[int], Iterator[list[Batch]]]
    """Batches in chunks, from a chunk on."""
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
    earlier_steps: int = 0
    """Those of finished stages: with `step` the number of a checkpoint, which must never come twice."""
    earlier_tokens: int = 0


def _rate(config: PretrainConfig, stage: _Stage, done: float, step: int) -> float:
    warm = min(1.0, (step + 1) / config.warmup_steps)
    slope = min(1.0, (1.0 - done) / (1.0 - config.constant_share))
    return stage.learning_rate * warm * max(config.final_share, slope)


class _Teacher:
    """One model, its optimiser and where they stand.

    The optimiser moves float32 weights; the model computes with their bfloat16 roundings. Its rotary frequencies are
    rounded as well, which moves the loss by less than 0.003 nats (measured): the saved model may use exact ones.
    """

    def __init__(self, model: LlamaForCausalLM, config: PretrainConfig) -> None:
        self.config, self.at = config, _Position()
        self.master = {name: p.detach().float().clone().requires_grad_() for name, p in model.named_parameters()}
        self.model = model.bfloat16()
        self.optimiser = self._new_optimiser()

    def _new_optimiser(self) -> torch.optim.AdamW:
        decay = self.config.weight_decay
        return torch.optim.AdamW(self.master.values(), betas=(0.9, 0.98), weight_decay=decay, fused=True)

    def step(self, batch: Batch, stage: _Stage) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = _rate(self.config, stage, self.at.seen / stage.tokens, self.at.step)
        loss = weighted_loss(self.model, batch)
        value = loss.item()
        if not math.isfinite(value):
            raise DivergedError(
                f"pretraining diverged in stage {stage.name} at step {self.at.step + 1}: loss {value} "
                "(take another seed, or a smaller model)"
            )
        loss.backward()
        for name, p in self.model.named_parameters():
            if p.grad is not None:
                self.master[name].grad, p.grad = p.grad.float(), None
        torch.nn.utils.clip_grad_norm_(self.master.values(), self.config.max_grad_norm)
        self.optimiser.step()
        self.publish()
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

    def standing(self, stage: _Stage) -> Standing:
        return Standing(
            stage=stage.name,
            chunk=self.at.chunk,
            step=self.at.step,
            tokens=self.at.seen,
            loss=self.at.loss,
            total_tokens=self.at.earlier_tokens + self.at.seen,
            seconds=self.at.seconds,
        )

    def next_stage(self) -> None:
        self.at = _Position(
            stage=self.at.stage + 1,
            seconds=self.at.seconds,
            earlier_steps=self.at.earlier_steps + self.at.step,
            earlier_tokens=self.at.earlier_tokens + self.at.seen,
        )
        self.optimiser = self._new_optimiser()

    def keep(self, checkpoints: Checkpoints) -> None:
        checkpoints.save(self.at.earlier_steps + self.at.step, self.tensors(), vars(self.at))

    def tensors(self) -> dict[str, Tensor]:
        out = {f"weights.{name}": p.detach().clone() for name, p in self.master.items()}
        for name, p in self.master.items():
            out |= {f"{key}.{name}": value.clone() for key, value in self.optimiser.state.get(p, {}).items()}
        return out

    @torch.no_grad()
    def load(self, tensors: dict[str, Tensor], position: dict[str, Any]) -> None:
        """Puts back what `keep` kept."""
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
        chunks=lambda start: copy_batches(config, len(tokenizer), start),
        tokens=config.copy_tokens,
        learning_rate=config.copy_learning_rate,
        enough=config.copy_loss,
    )
    corpus = _Stage(
        name="corpus",
        chunks=lambda start: corpus_batches(config, tokenizer, start),
        tokens=config.corpus_tokens,
        learning_rate=config.learning_rate,
    )
    judging = _Stage(
        name="judging",
        chunks=lambda start: corpus_batches(config, tokenizer, start, JUDGING),
        tokens=config.judging_tokens,
        learning_rate=config.judging_learning_rate,
    )
    practice = _Stage(
        name="practice",
        chunks=lambda start: corpus_batches(config, tokenizer, start, PRACTICE),
        tokens=config.practice_tokens,
        learning_rate=config.practice_learning_rate,
    )
    return copying, corpus, judging, practice


def pretrain(
    config: PretrainConfig, tokenizer: PreTrainedTokenizerFast, report: Report, checkpoints: Checkpoints
) -> LlamaForCausalLM:
    """The taught model, its weights in bfloat16. After a kill it goes on from its last checkpoint to the same bytes.

    `report` is called when a stage begins, after every optimiser step and after every chunk.

    Raises:
        DivergedError: if the loss is no longer a number.
    """
    teacher = _Teacher(build_model(config, tokenizer).train(), config)
    saved = checkpoints.latest()
    if saved is not None:
        teacher.load(saved.tensors, saved.state)
    stages = _stages(config, tokenizer)
    while teacher.at.stage < len(stages):
        stage = stages[teacher.at.stage]
        report(teacher.standing(stage))
        for batches in stage.chunks(teacher.at.chunk):
            began = time.monotonic()
            for batch in batches:
                if not teacher.finished(stage):
                    teacher.step(batch, stage)
                    report(teacher.standing(stage))
            teacher.at.chunk += 1
            teacher.at.seconds += time.monotonic() - began
            report(teacher.standing(stage))
            if teacher.finished(stage):
                break
            if teacher.at.chunk % config.checkpoint_chunks == 0:
                teacher.keep(checkpoints)
        teacher.next_stage()
    sharpen(teacher.model, config.sharpness).eval()
    return teacher.model


@torch.no_grad()
def sharpen(model: LlamaForCausalLM, factor: float) -> LlamaForCausalLM:
    """Multiplies the model's logits by `factor`, in place: by the gain of its last normalisation.

    What it has learnt stays in the same order; only how surely it says it changes. A small model trained for an hour
    still gives every wrong token a little probability, and an answer has thirty places to go wrong.
    """
    model.model.norm.weight.mul_(factor)
    return model
