"""The models of a run by role, loaded when they are needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Literal, get_args

import torch
from transformers import PreTrainedTokenizerBase

from solon.artifacts.atomic import sha256_bytes
from solon.artifacts.run_folder import SPENT
from solon.config.models import ModelRole, ModelsSection
from solon.config.run import RunConfig
from solon.config.sampling import SamplingOverrides
from solon.feedback.rows import Sampler
from solon.lm.engines import Count, ModelSpec, open_engine, reads_folder, uncounted
from solon.lm.protocols import LanguageModel, Progress, Sampling
from solon.models.allocator import keep_freed_memory
from solon.models.folder import fingerprints, weight_bytes
from solon.models.generation import Preference, preference
from solon.models.heads import PreferenceModel
from solon.models.load import LoadedModel, load_model, load_tokenizer
from solon.models.runtime import resolve_device, resolve_dtype
from solon.models.tokens import encode_prompt
from solon.models.where import hub_model, model_folder
from solon.pipeline.settle import KEYS, settle
from solon.prompting.chat_template import ChatTemplate, DialogueFormat, dialogue_format
from solon.prompting.dialogue import HumanAssistant
from solon.prompting.messages import Messages
from solon.records import Record

FormatKind = Literal["chat template", "human-assistant", "messages"]
_BYTES_PER_TOKEN = 3
"""Fewer than texts in Latin letters have by any vocabulary of some size. Assumption."""
_KINDS: dict[type[DialogueFormat], FormatKind] = {
    ChatTemplate: "chat template",
    HumanAssistant: "human-assistant",
    Messages: "messages",
}


class Actors:
    """Loads models on demand and knows how each wants to be written to. It keeps none: callers release them.
    Tokenizers it reads once."""

    def __init__(self, *, config: RunConfig, run: Path | None = None) -> None:
        """`run`: the folder of the run, or of another work, which keeps what requests to servers have cost."""
        keep_freed_memory()
        self.config, self._run, models = config, run, config.models
        self.device = resolve_device(models.device)
        self.dtype = resolve_dtype(models.dtype, self.device)
        self._remote = models.trust_remote_code
        chosen = models.model_copy(update={"dtype": str(self.dtype).removeprefix("torch.")})
        settled = settle(config, lambda role: self.preference(role).sampling)
        self.settled = settled.model_copy(update={"models": chosen})
        """With nothing left open of how texts are sampled, and with the arithmetic that this machine chooses, so that
        stages in another are not taken for equal."""
        self.copies: dict[Path, Path] = {}
        """Where on this machine models lie whose folders are on another."""
        self._tokenizers: dict[Path, PreTrainedTokenizerBase] = {}

    def __reduce__(self) -> tuple[Callable[[], Actors], tuple[()]]:
        """On another machine: models by their folders, the same arithmetic, its own device."""
        models = self.settled.models
        named = [role for role in get_args(ModelRole) if getattr(models, role).path]
        found = {role: str(self.path(role).resolve()) for role in named if reads_folder(models.role(role).engine)}
        roles = {role: getattr(models, role).model_copy(update={"path": path}) for role, path in found.items()}
        config = self.settled.model_copy(update={"models": models.model_copy(update=roles)})
        return partial(Actors, config=config), ()

    def path(self, role: ModelRole) -> Path:
        """The folder of a role's model; where its engine reads none, what stands for one."""
        own = self.config.models.role(role)
        return model_folder(own.path) if reads_folder(own.engine) else Path(own.path)

    def preference(self, role: ModelRole) -> Preference:
        """How the role's model asks to be sampled; one without files does not ask."""
        return preference(self.path(role)) if reads_folder(self.config.models.role(role).engine) else Preference()

    def place(self, folder: Path) -> Path:
        """Where on this machine the model in a folder lies."""
        return self.copies.get(folder, folder)

    def weight_bytes(self, role: ModelRole) -> int:
        return weight_bytes(self.path(role))

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
        """A model to write with or to put adapters on, or in float32 to train."""
        dtype = torch.float32 if trainable else self.dtype
        return load_model(self.place(folder), dtype=dtype, device=self.device, trust_remote_code=self._remote)

    def load_preference(self, folder: Path, *, compact: bool = False) -> PreferenceModel:
        """What the run's preference stage wrote, in float32 or, `compact`, in the run's own arithmetic."""
        dtype = self.dtype if compact else torch.float32
        return PreferenceModel.load(folder, dtype=dtype, device=self.device, trust_remote_code=self._remote)

    def tokenizer(self, folder: Path) -> PreTrainedTokenizerBase:
        """Of a role's model, or a trained one. All who ask get the same one, and leave it as it is."""
        place = self.place(folder)
        if place not in self._tokenizers:
            self._tokenizers[place] = load_tokenizer(place, trust_remote_code=self._remote)
        return self._tokenizers[place]

    def language_model(
        self, folder: Path, role: ModelRole, progress: Progress | None, count: Count = uncounted
    ) -> LanguageModel:
        """The model in a folder, driven by its role's engine and written to as its role wants; trained models play
        `base`, in this process."""
        own, trained = self.config.models.role(role), folder != self.path(role)
        spec = ModelSpec(
            model=str(self.place(folder)) if trained or reads_folder(own.engine) else own.path,
            format=self.format(folder, role),
            dtype=self.settled.models.dtype,
            device=str(self.device),
            trust_remote_code=self._remote,
            batch_size=self.config.sampling.batch_size,
            vllm=own.vllm,
            progress=progress,
            endpoint=own.endpoint,
            ledger=self._run and self._run / SPENT.format(role=self.config.models.player(role)),
            count=count,
        )
        return open_engine("local" if trained else own.engine, spec)

    def actor(self, role: ModelRole, trained: Path | None, progress: Progress, count: Count = uncounted) -> Actor:
        """The model of a role, or a trained one in its place, loaded when it is first used and released with the
        actor."""
        return Actor(actors=self, role=role, trained=trained, progress=progress, count=count)

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
            kind=_KINDS[type(format)],
            end=format.end,
            notes=format.notes(system=system or bool(format.system)),
        )


@dataclass(kw_only=True)
class Actor:
    """A model in a role. It is loaded when it is first used, and released with this object."""

    actors: Actors
    role: ModelRole
    trained: Path | None = None
    """The folder of a model that plays the role in the place of its own."""
    progress: Progress | None = None
    count: Count = uncounted

    def __reduce__(self) -> tuple[Callable[[], Actor], tuple[()]]:
        """To another process goes which model it is, never the model."""
        trained = self.trained and self.trained.resolve()
        return partial(Actor, actors=self.actors, role=self.role, trained=trained), ()

    @property
    def folder(self) -> Path:
        return self.trained or self.actors.path(self.role)

    @property
    def on_server(self) -> bool:
        """Whether it is asked over the network, and nothing of it is computed where it is asked."""
        return self.trained is None and not reads_folder(self.actors.config.models.role(self.role).engine)

    @property
    def files(self) -> dict[str, str]:
        """sha256 of every file of the model, by its name in the folder."""
        return fingerprints(self.folder, code=self.actors.config.models.trust_remote_code)

    @cached_property
    def format(self) -> DialogueFormat:
        return self.actors.format(self.folder, self.role)

    @cached_property
    def count_tokens(self) -> Callable[[str], int]:
        """Of a text as the model reads it; of a model without files a bound: one token for every three bytes."""
        if self.on_server:
            return lambda text: -(-len(text.encode()) // _BYTES_PER_TOKEN)
        tokenizer = self.actors.tokenizer(self.folder)
        return lambda text: len(encode_prompt(tokenizer, text))

    @cached_property
    def model(self) -> LanguageModel:
        return self.actors.language_model(self.folder, self.role, self.progress, self.count)

    def sampler(self, stage: str, how: SamplingOverrides) -> Sampler:
        """How the rows of a stage sample from it; `how` leaves nothing open."""
        sampling = Sampling(**how.model_dump(include=set(KEYS)))
        seed, guard = self.actors.config.seed, self.format.guard
        return Sampler(model=self.model, sampling=sampling, seed=seed, stage=stage, guard=guard)


class FormatFacts(Record):
    """A role's dialogue format, for the manifest."""

    kind: FormatKind
    end: str
    """The mark that ends an answer."""
    notes: tuple[str, ...]
    """Where it departs from what the tokenizer would write."""


def format_of(tokenizer: PreTrainedTokenizerBase | None, models: ModelsSection, role: ModelRole) -> DialogueFormat:
    """The format of a role, with the run's system turn for it."""
    own = models.role(role)
    if tokenizer is None and own.chats:
        return Messages(system=own.system or "")
    return dialogue_format(tokenizer, own.dialogue or "auto", system=own.system or "", today=models.date)
