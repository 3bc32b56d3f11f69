"""What answers in RL: the policy with its weights of that moment, by the local engine or by vLLM (`rl.sampler`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from transformers import PreTrainedModel

from solon.errors import ModelError, Where, memory_for
from solon.lm.engines import ModelSpec
from solon.lm.engines.local import decoder_kind
from solon.lm.protocols import Completion, SampleRequest
from solon.models.adapters import folded_weights
from solon.models.outline import stored_shapes
from solon.pipeline.check import check_processes
from solon.pipeline.learner import Learner


class LocalSampler:
    """By the local engine, which reads the weights where they learn; the processes of a group share the requests."""

    def __init__(self, learner: Learner) -> None:
        self._learner, self._engine = learner, learner.engine()
        self.max_context = self._engine.max_context

    def __call__(self, requests: Sequence[SampleRequest]) -> Sequence[Completion]:
        learner, counts, model = self._learner, self._engine.counts, self._learner.loaded.model
        before = replace(counts)
        with memory_for("sampling.batch_size"), learner.shards.filled(model):
            answers = learner.group.spread(requests, self._engine.sample)
            if decoder_kind(model) == "lean":  # other engines call the model, which counts by itself
                learner.flops.sampled(model, read=counts.read - before.read, drawn=counts.drawn - before.drawn)
        return answers


class VllmSampler:
    """By vLLM in this process, which is handed the weights whenever it is asked."""

    def __init__(self, learner: Learner) -> None:
        from solon.lm.engines.vllm import VllmModel

        self._learner, actors, models = learner, learner.work.actors, learner.work.config.models
        folder = learner.loaded.path
        tied = tied_names(learner.loaded.model, folder)
        spec = ModelSpec(
            model=str(folder),
            format=learner.format,
            dtype=models.dtype,
            device=str(actors.device),
            trust_remote_code=models.trust_remote_code,
            vllm=learner.work.config.rl.beside,
        )
        self._engine = VllmModel(spec)
        self.max_context = self._engine.max_context
        self._left_out = {name for name in tied if not self._engine.has_weights(name)}
        learner.work.engines["rl"] = self._engine.identity

    def __call__(self, requests: Sequence[SampleRequest]) -> Sequence[Completion]:
        with memory_for("rl.vllm.gpu_memory_utilization"):
            self.hand_over()
            answers = self._engine.sample(requests)
        prompts = {answer.prompt_ids for answer in answers}
        drawn = sum(answer.tokens for answer in answers)
        read = sum(map(len, prompts)) + drawn - len(answers)  # as far as is known: vLLM reads some prompts once
        self._learner.flops.sampled(self._learner.loaded.model, read=read, drawn=drawn)
        return answers

    def hand_over(self) -> None:
        """Tied weights come by both names where vLLM has both: on a processor it keeps a copy of the head."""
        weights = folded_weights(self._learner.loaded.model)
        self._engine.load_weights(one for one in weights if one[0] not in self._left_out)


def tied_names(model: PreTrainedModel, folder: Path) -> set[str]:
    """Of weights that the folder has under another name. Raises `ModelError` if it has some that the model has not:
    vLLM, which knows weights as folders name them, could not take those in memory."""
    stored, names = stored_shapes(folder).keys(), {name for name, _ in folded_weights(model)}
    if unknown := sorted(stored - names):
        what = f"{type(model).__name__} names weights otherwise in memory than in its folder, e.g. {unknown[0]}"
        raise ModelError(what, where=Where(folder), hint='set rl.sampler to "local", which reads them where they learn')
    return names - stored


PolicySampler: TypeAlias = LocalSampler | VllmSampler


def policy_sampler(learner: Learner) -> PolicySampler:
    """As `rl.sampler` says. Raises `ConfigError` if that cannot be here."""
    check_processes(learner.work.config, learner.group.size)
    return LocalSampler(learner) if learner.work.config.rl.sampler == "local" else VllmSampler(learner)
