"""Models by role, and how each is written to."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import JsonValue

from solon.config.engines import EndpointSection, Engine, VllmSection
from solon.config.paths import ModelPath
from solon.config.section import MECHANICAL, Section, subsection

ModelRole = Literal["assistant", "base", "judge"]
Dialogue = Literal["auto", "human-assistant", "chat-template"]
"""How a model is written to. `auto`: in its tokenizer's chat template if it has one, else in the Human/Assistant format
of the paper."""
NEW_YEAR = dt.date(2026, 1, 1)
"""The date for chat templates that ask for one: fixed, so that a run is the same tomorrow."""


class ModelSection(Section):
    """The model of a role, and how it is written to. `models.judge = "DIR"` is short for its `path`."""

    path: ModelPath = ""
    """"": the assistant plays this role too."""
    engine: Engine = "local"
    """What runs the model."""
    dialogue: Dialogue | None = None
    """None: that of `models`."""
    system: str | None = None
    """A system turn for dialogues that have none; "": none. None: that of `models`."""
    endpoint: EndpointSection | None = None
    """With the engine `endpoint`. None: its defaults."""
    vllm: VllmSection | None = None
    """With the engine `vllm`. None: its defaults."""

    @property
    def chats(self) -> bool:
        """Whether it is asked by messages, which its server renders."""
        api = (self.endpoint or EndpointSection()).api
        auto = api == "auto" and self.dialogue != "human-assistant"
        return self.engine == "endpoint" and (api == "chat" or auto)

    def engine_settings(self) -> dict[str, JsonValue]:
        """What the section of its engine says that can change a result, by the engine's name."""
        field = type(self).model_fields.get(self.engine)
        if field is None or not (kind := subsection(field)):
            return {}
        section: Section = getattr(self, self.engine) or kind()
        return {self.engine: section.result_settings()}


class ModelsSection(Section):
    """Models by role, as in CAI section 1.1, and what holds for all of them."""

    assistant: ModelSection = ModelSection()
    """Helpful-only; writes answers, critiques and revisions. Required."""
    base: ModelSection = ModelSection()
    """What supervised finetuning starts from. The trained models are written to as this section says."""
    judge: ModelSection = ModelSection()
    """Compares answers."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of generation and training. `auto`: bfloat16 where the processor has it, else float32."""
    device: Annotated[str, MECHANICAL] = "auto"
    dialogue: Dialogue = "auto"
    system: str = ""
    """A system turn for dialogues that have none of their own; for every role that names no other."""
    date: dt.date = NEW_YEAR
    """The date that chat templates get when they ask for today's."""
    trust_remote_code: Annotated[bool, MECHANICAL] = False
    """Allow a model folder to run its own Python. Off unless asked for."""

    def player(self, role: ModelRole) -> ModelRole:
        """The role whose model plays this one."""
        own: ModelSection = getattr(self, role)
        return role if own.path else "assistant"

    def role(self, role: ModelRole) -> ModelSection:
        """What plays a role, with no key left open."""
        own: ModelSection = getattr(self, role)
        player: ModelSection = getattr(self, self.player(role))
        return ModelSection(
            path=player.path,
            engine=player.engine,
            dialogue=own.dialogue or player.dialogue or self.dialogue,
            system=self.system if own.system is None else own.system,
            endpoint=player.endpoint,
            vllm=player.vllm,
        )
