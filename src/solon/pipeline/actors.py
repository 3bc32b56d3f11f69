"""The models of a run by role, loaded when they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from transformers import PreTrainedTokenizerBase

from solon.config import ModelRole, ModelsSection, RunConfig
from solon.embedded.shipped import model_folder
from solon.lm.engines import ModelSpec, open_engine
from solon.lm.engines.local import LocalModel
from solon.lm.protocols import LanguageModel, Progress
from solon.models.folder import fingerprints
from solon.models.heads import PreferenceModel
from solon.models.load import LoadedModel, load_model, load_tokenizer
from solon.models.runtime import prepare_cpu, resolve_device, resolve_dtype
from solon.prompting.chat_template import ChatTemplate, dialogue_format
from solon.prompting.dialogue import HumanAssistant
from solon.records import Record


@dataclass(kw_only=True)
class Actors:
    """Loads models on demand and knows how each wants to be written to. It keeps none: callers release them."""

    config: RunConfig

    def __post_init__(self) -> None:
        prepare_cpu()
        self.device = resolve_device(self.config.models.device)
        self.dtype = resolve_dtype(self.config.models.dtype, self.device)

    @property
    def settled(self) -> RunConfig:
        """The run file with the arithmetic that this machine chooses, so that stages in another are not taken for
        equal."""
        models = self.config.models.model_copy(update={"dtype": str(self.dtype).removeprefix("torch.")})
        return self.config.model_copy(update={"models": models})

    def path(self, role: ModelRole) -> Path:
        """The folder of the model that plays a role."""
        return model_folder(self.config.models.role(role).path)

    def weight_bytes(self, role: ModelRole) -> int:
        """Size of a role's weights on disk."""
        return sum(path.stat().st_size for path in self.path(role).glob("*.safetensors"))

    def fingerprints(self, role: ModelRole) -> dict[str, str]:
        """sha256 of every file that a role's model depends on, e.g. of `judge/config.json`."""
        found = fingerprints(self.path(role), code=self._remote)
        return {f"{role}/{name}": sha256 for name, sha256 in found.items()}

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

    @property
    def _remote(self) -> bool:
        return self.config.models.trust_remote_code

    def engine(self, loaded: LoadedModel) -> LocalModel:
        """Writes and scores with a loaded model, in the run's arithmetic, also while it is being trained."""
        return LocalModel(loaded, batch_size=self.config.sampling.batch_size, dtype=self.dtype)

    def language_model(self, folder: Path, role: ModelRole, progress: Progress) -> LanguageModel:
        """The model in a folder, driven by its role's engine and written to as its role wants; trained models play
        `base`, in this process."""
        trained = folder != self.path(role)
        spec = ModelSpec(
            model=str(folder),
            format=self.format(folder, role),
            dtype=str(self.dtype).removeprefix("torch."),
            device=str(self.device),
            trust_remote_code=self._remote,
            batch_size=self.config.sampling.batch_size,
            progress=progress,
        )
        return open_engine("local" if trained else self.config.models.role(role).engine, spec)

    def actor(self, role: ModelRole, folder: Path | None, progress: Progress) -> Actor:
        """The model of a role, or a trained one in its place."""
        return Actor(self, self.path(role) if folder is None else folder, role, progress)

    def format(self, folder: Path, role: ModelRole = "base") -> ChatTemplate | HumanAssistant:
        """How the model in a folder wants a dialogue written, when it plays a role; trained models play `base`."""
        return format_of(self.tokenizer(folder), self.config.models, role)

    def formats(self, roles: Sequence[ModelRole], *, system: bool) -> dict[ModelRole, FormatFacts]:
        """How roles are written to. `system`: prompts have system turns."""
        return {role: _facts(self.format(self.path(role), role), system) for role in roles}


class Actor:
    """A model in a role. It is loaded when it is first used, and released with this object."""

    def __init__(self, actors: Actors, folder: Path, role: ModelRole, progress: Progress) -> None:
        self._actors, self.folder, self._role, self._progress = actors, folder, role, progress

    @cached_property
    def format(self) -> ChatTemplate | HumanAssistant:
        """How it is written to."""
        return self._actors.format(self.folder, self._role)

    @cached_property
    def model(self) -> LanguageModel:
        """Completes and scores."""
        return self._actors.language_model(self.folder, self._role, self._progress)


class FormatFacts(Record):
    """A role's dialogue format, for the manifest."""

    kind: Literal["chat template", "human-assistant"]
    end: str
    """The mark that ends an answer."""
    notes: tuple[str, ...]
    """Where it departs from what the tokenizer would write."""


def _facts(format: ChatTemplate | HumanAssistant, system: bool) -> FormatFacts:
    return FormatFacts(
        kind="chat template" if isinstance(format, ChatTemplate) else "human-assistant",
        end=format.end,
        notes=format.notes(system=system or bool(format.system)),
    )


def format_of(
    tokenizer: PreTrainedTokenizerBase, models: ModelsSection, role: ModelRole
) -> ChatTemplate | HumanAssistant:
    """The format of a role, with the run's system turn for it."""
    own = models.role(role)
    return dialogue_format(tokenizer, own.dialogue or "auto", system=own.system or "", today=models.date)
