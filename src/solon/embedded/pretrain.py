"""Teaching the embedded model its world, from random weights.

Four stages: random token sequences that repeat themselves, for copying; the corpus; judging, where most has to be
unlearned; and practice in what was taught least. What the model can do afterwards is measured by `embedded.skills`,
never assumed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from solon.artifacts.checkpoint import Checkpoints
from solon.config.training import OptimizerSection
from solon.embedded.batches import Batch, copy_batches, corpus_batches
from solon.embedded.corpus import CORPUS, JUDGING, PRACTICE, Course
from solon.embedded.recipe import PretrainConfig
from solon.errors import DivergedError
from solon.seeds import derive_seed
from solon.train.loop import Trainer, TrainStep
from solon.train.losses import SumAndWeight, token_logprobs


@dataclass(frozen=True, kw_only=True)
class PretrainState:
    """How far pretraining has come: finished chunks, optimizer steps and tokens of a stage, padding counted."""

    stage: str
    """`copy`, `corpus`, `judging` or `practice`."""
    chunk: int = 0
    step: int = 0
    tokens: int = 0
    loss: float = math.nan
    """Running mean over about 50 steps, in nats per weighted token; NaN before the first step."""
    total_steps: int = 0
    """Of all stages: the number of a checkpoint, which must never come twice."""
    total_tokens: int = 0
    seconds: float = 0.0
    """Time spent in optimizer steps over all stages, without what a kill undid; up to the last finished chunk."""

    def after_step(self, update: TrainStep) -> PretrainState:
        return replace(
            self,
            step=self.step + 1,
            tokens=self.tokens + update.tokens,
            loss=update.loss if self.step == 0 else 0.98 * self.loss + 0.02 * update.loss,
            total_steps=self.total_steps + 1,
            total_tokens=self.total_tokens + update.tokens,
        )

    def at_stage(self, name: str) -> PretrainState:
        """This state if it is of that stage, else the beginning of it."""
        if name == self.stage:
            return self
        return replace(self, stage=name, chunk=0, step=0, tokens=0, loss=math.nan)


Report = Callable[[PretrainState], None]


def build_model(config: PretrainConfig, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A Llama with tied embeddings; attention starts near the identity (mimetic initialization), which helps copying.

    Source: Trockman and Kolter 2023, "Mimetic initialization of self-attention layers"; simplified: W_k near W_q and
    W_o near the transpose of W_v, per layer.
    """
    torch.manual_seed(derive_seed(config.seed, "init") % 2**63)
    # Plain matrix products: for short rows on a CPU faster than the fused kernels (measured, see docs/log.md).
    eager: dict[str, Any] = {"attn_implementation": "eager"}
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
        **eager,
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


def weighted_loss(model: LlamaForCausalLM, batch: Batch) -> SumAndWeight:
    """Weighted next-token cross-entropy; where two tokens are as good, the mean of both: a target of half each.

    Padding stands on the right, so the causal mask already hides it.
    """
    logits_NV = model(input_ids=batch.ids_BT[:, :-1], use_cache=False).logits.float().flatten(0, 1)
    target_N, tied_N, weight_N = (of[:, 1:].flatten() for of in (batch.ids_BT, batch.tied_BT, batch.weight_BT))
    loss_N = -token_logprobs(logits_NV, target_N)
    ties = (tied_N != target_N).nonzero().squeeze(1)
    surplus = (-token_logprobs(logits_NV[ties], tied_N[ties]) - loss_N[ties]) / 2
    loss_N = loss_N.index_add(0, ties, surplus)
    return (loss_N * weight_N).sum(), weight_N.sum()


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage of pretraining, on a fresh optimizer."""

    name: str
    chunk: Callable[[int], list[Batch]]
    """The batches of a chunk, by its number."""
    tokens: int
    learning_rate: float
    batch_tokens: int
    enough: float = 0.0
    """The stage ends early when the smoothed loss falls below this."""


def stages_of(config: PretrainConfig, tokenizer: PreTrainedTokenizerFast) -> list[Stage]:
    """In their order."""

    def reading(course: Course, tokens: int, learning_rate: float) -> Stage:
        chunk, size = partial(corpus_batches, config, tokenizer, course), config.batch_tokens
        return Stage(name=course.name, chunk=chunk, tokens=tokens, learning_rate=learning_rate, batch_tokens=size)

    copying = Stage(
        name="copy",
        chunk=partial(copy_batches, config, len(tokenizer)),
        tokens=config.copy_tokens,
        learning_rate=config.copy_learning_rate,
        batch_tokens=config.copy_batch_tokens,
        enough=config.copy_loss,
    )
    return [
        copying,
        reading(CORPUS, config.corpus_tokens, config.learning_rate),
        reading(JUDGING, config.judging_tokens, config.judging_learning_rate),
        reading(PRACTICE, config.practice_tokens, config.practice_learning_rate),
    ]


def pretrain(
    config: PretrainConfig, tokenizer: PreTrainedTokenizerFast, report: Report, checkpoints: Checkpoints
) -> LlamaForCausalLM:
    """The taught model, its weights in bfloat16. After a kill it goes on from its last checkpoint to the same bytes.

    It computes in bfloat16. Its rotary frequencies are rounded as well, which moves the loss by less than 0.003 nats
    (measured): the saved model may use exact ones.

    `report` is called when a stage begins, after every optimizer step and after every chunk. Raises `DivergedError` if
    the loss is no longer a number.
    """
    model, stages = build_model(config, tokenizer), stages_of(config, tokenizer)
    adamw: dict[str, Any] = {"betas": (0.9, 0.98), "fused": True}
    trainer = Trainer({"model": model}, _section(config, stages[0]), weights=torch.bfloat16, **adamw)
    lessons = _Pretraining(config, model, trainer, report, checkpoints)
    saved = checkpoints.latest()
    state = PretrainState(stage=stages[0].name) if saved is None else PretrainState(**saved.state)
    for stage in stages[[stage.name for stage in stages].index(state.stage) :]:
        trainer.begin(_section(config, stage), partial(_schedule, config))
        if saved is not None:
            trainer.load(saved.tensors, state.step)
            saved = None
        state = lessons.run(stage, state.at_stage(stage.name))
    return sharpen(model, config.sharpness)


def _section(config: PretrainConfig, stage: Stage) -> OptimizerSection:
    return OptimizerSection(
        learning_rate=stage.learning_rate,
        batch_size=1,  # a batch is cut by its tokens
        weight_decay=config.weight_decay,
        warmup_steps=config.warmup_steps,
        max_grad_norm=config.max_grad_norm,
    )


def _schedule(config: PretrainConfig, done: float) -> float:
    """Constant, then a straight line towards 0 that ends at `final_share`."""
    return max(config.final_share, min(1.0, (1.0 - done) / (1.0 - config.constant_share)))


@dataclass(frozen=True)
class _Pretraining:
    """What does not change while a model is pretrained."""

    config: PretrainConfig
    model: LlamaForCausalLM
    trainer: Trainer
    report: Report
    checkpoints: Checkpoints

    def run(self, stage: Stage, state: PretrainState) -> PretrainState:
        """A stage to its end."""
        self.report(state)
        while not self.finished(stage, state):
            batches = stage.chunk(state.chunk)
            began = time.monotonic()
            for batch in batches:
                if not self.finished(stage, state):
                    state = self.step(stage, batch, state)
                    self.report(state)
            state = replace(state, chunk=state.chunk + 1, seconds=state.seconds + time.monotonic() - began)
            self.report(state)
            if state.chunk % self.config.checkpoint_chunks == 0 and not self.finished(stage, state):
                self.checkpoints.save(state.total_steps, self.trainer.tensors(), vars(state))
        return state

    def finished(self, stage: Stage, state: PretrainState) -> bool:
        enough = state.step > self.config.warmup_steps and state.loss < stage.enough
        return enough or state.tokens >= stage.tokens

    def step(self, stage: Stage, batch: Batch, state: PretrainState) -> PretrainState:
        self.trainer.done, read = state.tokens / stage.tokens, batch.ids_BT.numel()
        try:
            update = self.trainer.update(
                [[0]], lambda _: weighted_loss(self.model, batch), weight=batch.weight, tokens=read
            )
        except DivergedError as error:
            what = f"pretraining diverged in stage {stage.name} at step {state.step + 1}"
            raise DivergedError(f"{what} (take another seed, or a smaller model)") from error
        return state.after_step(update)


@torch.no_grad()
def sharpen(model: LlamaForCausalLM, factor: float) -> LlamaForCausalLM:
    """Multiplies the model's logits by `factor`, in place: by the gain of its last normalization.

    What it has learned stays in the same order; only how surely it says it changes. A small model trained for an hour
    still gives every wrong token a little probability, and an answer has thirty places to go wrong.
    """
    model.model.norm.weight.mul_(factor)
    return model
