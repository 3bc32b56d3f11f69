"""Teaching the embedded model its world, from random weights and one corpus in parts.

What the model can do afterwards is measured by `embedded.skills`, never assumed.
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
from solon.embedded.batches import Batch, corpus_batches
from solon.embedded.network import LlamaTraining
from solon.embedded.recipe import Part, PretrainConfig
from solon.errors import DivergedError
from solon.seeds import derive_seed
from solon.train.loop import Trainer, TrainStep
from solon.train.losses import SumAndWeight, token_logprobs


@dataclass(frozen=True, kw_only=True)
class PretrainState:
    """How far a part of pretraining has come: finished chunks, optimizer steps and tokens, padding counted."""

    chunk: int = 0
    step: int = 0
    tokens: int = 0
    loss: float = math.nan
    """Running mean over about 50 steps, in nats per weighted token; NaN before the first step."""
    seconds: float = 0.0
    """Time spent in optimizer steps, without what a kill undid; up to the last finished chunk."""

    def after_step(self, update: TrainStep) -> PretrainState:
        return replace(
            self,
            step=self.step + 1,
            tokens=self.tokens + update.tokens,
            loss=update.loss if self.step == 0 else 0.98 * self.loss + 0.02 * update.loss,
        )


Report = Callable[[PretrainState], None]


def build_model(config: PretrainConfig, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A Llama with tied embeddings; attention starts near the identity (mimetic initialization), which helps copying.

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


def weighted_loss(network: LlamaTraining, batch: Batch) -> SumAndWeight:
    """Weighted next-token cross-entropy; where two tokens are as good, the mean of both: a target of half each."""
    target_N, tied_N, weight_N = (of[:, 1:].flatten() for of in (batch.ids_BT, batch.tied_BT, batch.weight_BT))
    at_M = weight_N.nonzero().squeeze(1)
    target_M, tied_M, weight_M = target_N[at_M], tied_N[at_M], weight_N[at_M]
    logits_MV = network.logits(batch.ids_BT[:, :-1], at_M)
    loss_M = -token_logprobs(logits_MV, target_M)
    ties = (tied_M != target_M).nonzero().squeeze(1)
    surplus = (-token_logprobs(logits_MV[ties], tied_M[ties]) - loss_M[ties]) / 2
    loss_M = loss_M.index_add(0, ties, surplus)
    return (loss_M * weight_M).sum(), weight_M.sum()


def pretrain(
    model: LlamaForCausalLM,
    config: PretrainConfig,
    part: Part,
    tokenizer: PreTrainedTokenizerFast,
    report: Report,
    checkpoints: Checkpoints,
) -> LlamaForCausalLM:
    """The model, in place, when it has read a part of the corpus; its weights in bfloat16, in which it computes. After
    a kill it goes on from its last checkpoint to the same bytes.

    `report` is called at the beginning, after every optimizer step and after every chunk. Raises `DivergedError` if the
    loss is no longer a number.
    """
    network, section, goal = LlamaTraining(model), _section(config, config.rate(part)), config.tokens(part)
    trainer = Trainer({"model": model}, section)
    trainer.begin(section, partial(_schedule, config))
    saved, state = checkpoints.latest(), PretrainState()
    if saved is not None:
        state = PretrainState(**saved.state)
        trainer.load(saved.tensors, state.step)
    report(state)
    while state.tokens < goal:
        batches, began = corpus_batches(config, tokenizer, state.chunk, part), time.monotonic()
        for batch in batches:
            if state.tokens < goal:
                trainer.done = state.tokens / goal
                state = _step(trainer, network, batch, state)
                report(state)
        state = replace(state, chunk=state.chunk + 1, seconds=state.seconds + time.monotonic() - began)
        report(state)
        if state.chunk % config.checkpoint_chunks == 0 and state.tokens < goal:
            checkpoints.save(state.step, trainer.tensors(), vars(state))
    return sharpen(model, config.gain(part))


def _section(config: PretrainConfig, learning_rate: float) -> OptimizerSection:
    return OptimizerSection(
        learning_rate=learning_rate,
        batch_size=1,  # a batch is cut by its tokens
        weight_decay=config.weight_decay,
        weight_decay_on="all",
        betas=(0.9, 0.98),
        weights="bfloat16+masters",
        warmup_steps=config.warmup_steps,
        max_grad_norm=config.max_grad_norm,
    )


def _schedule(config: PretrainConfig, done: float) -> float:
    """Constant, then a straight line towards 0 that ends at `final_share`."""
    return max(config.final_share, min(1.0, (1.0 - done) / (1.0 - config.constant_share)))


def _step(trainer: Trainer, network: LlamaTraining, batch: Batch, state: PretrainState) -> PretrainState:
    try:
        update = trainer.update(
            [[0]], lambda _: weighted_loss(network, batch), weight=batch.weight, tokens=batch.ids_BT.numel()
        )
    except DivergedError as error:
        what = f"pretraining diverged at step {state.step + 1}"
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
