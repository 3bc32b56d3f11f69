"""The section of the run file on the evaluations that a run ends with: which, on which data, of which models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, JsonValue

from solon.config.paths import DataPath, FolderPath
from solon.config.section import MECHANICAL, Section

EvaluatedModel = Literal["base", "sl", "rl", "dpo"]
"""Before training, SL-CAI, and what the run makes of it."""
EVALUATED: tuple[EvaluatedModel, ...] = get_args(EvaluatedModel)
"""In the order of a run."""
Temperature = Annotated[float, Field(ge=0.0)]


def _different(temperatures: tuple[float, ...]) -> tuple[float, ...]:
    if len(set(temperatures)) < len(temperatures):
        raise ValueError("a temperature stands there twice")
    return temperatures


Temperatures = Annotated[tuple[Temperature, ...], Field(min_length=1), AfterValidator(_different)]
_BOTH = (0.0, 1.0)
"""CAI figure 10 shows both."""


class PublishedSection(Section):
    """An evaluation on a published file."""

    data: DataPath | None = None
    """The file, in the form that `solon eval` reads. None: it is left out."""
    limit: int | None = Field(None, ge=1)
    """At most so many rows, from all over the file; the same in all runs. None: all."""


class ChoicesSection(PublishedSection):
    """Questions with lettered options. At temperature 0 and 1: one reading gives both."""

    orders: int = Field(4, ge=1)
    """Orders of the options that each question is asked in; of two options there are 2."""


class AnswersSection(PublishedSection):
    """Questions that a model answers in words, sampled as `evaluation` says but for these keys."""

    temperatures: Temperatures = _BOTH
    max_new_tokens: int | None = Field(None, ge=1)
    """None: as for the held-out prompts."""


class PerplexitySection(PublishedSection):
    """Held-out text, in windows. The engine of `base` has to be `local`."""

    window: int = Field(512, ge=8)
    """Tokens at most that are read at once."""


class GamesSection(Section):
    """The run's judge says whose answer to a held-out prompt is better, for every two models, in both orders: Elo (CAI
    figures 2 and 8, there by people)."""

    prompts: int = Field(0, ge=0)
    """Held-out prompts of each kind that asks for harm, at most. 0: no game is played."""
    temperatures: Temperatures = _BOTH
    max_new_tokens: int | None = Field(None, ge=1)


class HarmfulnessSection(Section):
    """A regressor of ratings says how harmful the run's answers to harmful held-out prompts are (CAI section 4.5)."""

    regressor: FolderPath | None = None
    """What `solon eval harmfulness --train` wrote, e.g. `harm/regressor/model`. None: it is left out."""


def key_of(name: str) -> str:
    """Of an evaluation's section, by the name of its command. Example: `harm-type` is `harm_type`."""
    return name.replace("-", "_")


class EvaluationsSection(Section):
    """What a run ends with. Without data and games there is nothing of it."""

    models: Annotated[tuple[EvaluatedModel, ...], MECHANICAL] = EVALUATED
    """Those of the run that are evaluated, each in a stage of its own."""
    hhh: ChoicesSection = ChoicesSection()
    harm_or_ethical: ChoicesSection = ChoicesSection()
    harm_type: ChoicesSection = ChoicesSection()
    bbq: ChoicesSection = ChoicesSection()
    opinions: ChoicesSection = ChoicesSection()
    refusals: AnswersSection = AnswersSection()
    preachiness: AnswersSection = AnswersSection()
    gsm8k: AnswersSection = AnswersSection()
    perplexity: PerplexitySection = PerplexitySection()
    elo: GamesSection = GamesSection()
    harmfulness: HarmfulnessSection = HarmfulnessSection()

    def published(self) -> Iterator[tuple[str, PublishedSection]]:
        """Those on files, by the names of their commands."""
        for key, section in self:
            if isinstance(section, PublishedSection) and section.data is not None:
                yield key.replace("_", "-"), section

    @property
    def files(self) -> dict[str, str]:
        """Their data, by name."""
        return {name: section.data for name, section in self.published() if section.data is not None}

    def any_of(self, model: str) -> bool:
        """Whether a model is asked anything."""
        return model in self.models and bool(self.files or self.elo.prompts)

    def result_settings(self) -> dict[str, JsonValue]:
        """With those of the evaluations that there are."""
        own: dict[str, JsonValue] = {name: section.result_settings() for name, section in self.published()}
        return super().result_settings() | own | ({"elo": self.elo.result_settings()} if self.elo.prompts else {})
