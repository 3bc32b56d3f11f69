"""The models of a run by role, loaded when they are needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from transformers import PreTrainedTokenizerBase

from solon.artifacts.atomic import sha256_bytes
from solon.config import ModelRole, ModelsSection, RunConfig, SamplingOverrides
from solon.feedback.rows import Sampler
from solon.lm.engines import ModelSpec, open_engine, reads_folder
from solon.lm.protocols import LanguageModel, Progress, Sampling
from solon.models.folder import fingerprints
from solon.models.generation import Preference, preference
from solon.models.heads import PreferenceModel
from solon.models.load import LoadedModel, load_model, load_tokenizer
from solon.models.runtime import prepare_cpu, resolve_device, resolve_dtype
from solon.models.where import hub_model, model_folder
from solon.pipeline.settle import KEYS, settle
from solon.prompting.chat_template import ChatTemplate, DialogueFormat, dialogue_format
from solon.records import Record


class Actors:
    """Loads models on demand and knows how each wants to be written to. It keeps none: callers release them."""

    def __init__(self, *, config: RunConfig) -> None:
        prepare_cpu()
        self.config, models = config, config.models
        self.device = resolve_device(models.device)
        self.dtype = resolve_dtype(models.dtype, self.device)
        self._remote = models.trust_remote_code
        chosen = models.model_copy(update={"dtype": str(self.dtype).removeprefix("torch.")})
        settled = settle(config, lambda role: self.preference(role).sampling)
        self.settled = settled.model_copy(update={"models": chosen})
        """With nothing left open of how texts are sampled, and with the arithmetic that this machine chooses, so that
        stages in another are not taken for equal."""

    def path(self, role: ModelRole) -> Path:
        """The folder of a role's model; where its engine reads none, what stands for one."""
        own = self.config.models.role(role)
        return model_folder(own.path) if reads_folder(own.engine) else Path(own.path)

    def preference(self, role: ModelRole) -> Preference:
        """How the role's model asks to be sampled; one without files does not ask."""
        return preference(self.path(role)) if reads_folder(self.config.models.role(role).engine) else Preference()

    def weight_bytes(self, role: ModelRole) -> int:
        return sum(path.stat().st_size for path in self.path(role).glob("*.safetensors"))

    def fingerprints(self, role: ModelRole) -> dict[str, str]:
        """sha256 of every file that a role's model depends on, e.g. of `judge/config.json`, and of a model on the Hub
        its commit, as `judge/commit`; sha256 of its name where its engine reads no files."""
        if not reads_folder(self.config.models.role(role).engine):
            return {role: sha256_bytes(self.config.models.role(role).path.encode())}
        found = fingerprints(self.path(role), code=self._remote)
        if (model := hub_model(self.config.models.role(role).path)) and model.commit:
            found["commit"] = model.commit
        return {f"{role}/{name}": sha256 for name, sha256 in found.items()}

    def hub_name(self, role: ModelRole) -> str | None:
        """What a role's model is called on the Hub, its commit included; None if it is a folder."""
        own = self.config.models.role(role)
        model = hub_model(own.path) if reads_folder(own.engine) else None
        return None if model is None else str(model)

    def load(self, folder: Path, *, trainable: bool = False) -> LoadedModel:
        """A model to write with, or in float32 to train."""
        dtype = torch.float32 if trainable else self.dtype
        return load_model(folder, dtype=dtype, device=self.device, trust_remote_code=self._remote)

    def load_preference(self, folder: Path) -> PreferenceModel:
        """What the run's preference stage wrote, in float32."""
        return PreferenceModel.load(folder, dtype=torch.float32, device=self.device, trust_remote_code=self._remote)

    def tokenizer(self, folder: Path) -> PreTrainedTokenizerBase:
        """Of a role's model, or a trained one."""
        return load_tokenizer(folder, trust_remote_code=self._remote)

    def language_model(self, folder: Path, role: ModelRole, progress: Progress) -> LanguageModel:
        """The model in a folder, driven by its role's engine and written to as its role wants; trained models play
        `base`, in this process."""
        own, trained = self.config.models.role(role), folder != self.path(role)
        spec = ModelSpec(
            model=str(folder) if trained or reads_folder(own.engine) else own.path,
            format=self.format(folder, role),
            dtype=self.settled.models.dtype,
            device=str(self.device),
            trust_remote_code=self._remote,
            batch_size=self.config.sampling.batch_size,
            progress=progress,
        )
        return open_engine("local" if trained else own.engine, spec)

    def actor(self, role: ModelRole, folder: Path, progress: Progress) -> Actor:
        """The model in a folder, to be loaded when it is first used and released with the actor."""
        return Actor(actors=self, folder=folder, role=role, progress=progress)

    def format(self, folder: Path, role: ModelRole = "base") -> DialogueFormat:
        """How the model in a folder wants a dialogue written, when it plays a role; trained models play `base`."""
        own = self.config.models.role(role)
        plays = folder == self.path(role)
        tokenizer = None if plays and not reads_folder(own.engine) else self.tokenizer(folder)
        return format_of(tokenizer, self.config.models, role)

    def format_facts(self, role: ModelRole, *, system: bool) -> FormatFacts:
        """How a role is written to. `system`: prompts have system turns."""
        format = self.format(self.path(role), role)
        return FormatFacts(
            kind="chat template" if isinstance(format, ChatTemplate) else "human-assistant",
            end=format.end,
            notes=format.notes(system=system or bool(format.system)),
        )


@dataclass(kw_only=True)
class Actor:
    """A model in a role. It is loaded when it is first used, and released with this object."""

    actors: Actors
    folder: Path
    role: ModelRole
    progress: Progress

    @cached_property
    def format(self) -> DialogueFormat:
        return self.actors.format(self.folder, self.role)

    @cached_property
    def model(self) -> LanguageModel:
        return self.actors.language_model(self.folder, self.role, self.progress)

    def sampler(self, stage: str, how: SamplingOverrides) -> Sampler:
        """How the rows of a stage sample from it; `how` leaves nothing open."""
        sampling = Sampling(**how.model_dump(include=set(KEYS)))
        return Sampler(model=self.model, sampling=sampling, seed=self.actors.config.seed, stage=stage)


class FormatFacts(Record):
    """A role's dialogue format, for the manifest."""

    kind: Literal["chat template", "human-assistant"]
    end: str
    """The mark that ends an answer."""
    notes: tuple[str, ...]
    """Where it departs from what the tokenizer would write."""


def format_of(tokenizer: PreTrainedTokenizerBase | None, models: ModelsSection, role: ModelRole) -> DialogueFormat:
    """The format of a role, with the run's system turn for it."""
    own = models.role(role)
    return dialogue_format(tokenizer, own.dialogue or "auto", system=own.system or "", today=models.date)
