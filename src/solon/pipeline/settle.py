"""How the texts of a run are sampled, once what the run file leaves open is settled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from solon.config.models import ModelRole
from solon.config.run import RunConfig
from solon.config.sampling import SamplingOverrides

S = TypeVar("S", bound=SamplingOverrides)

KEYS = tuple(SamplingOverrides.model_fields)
OFF = SamplingOverrides(temperature=1.0, top_p=1.0, top_k=0, min_p=0.0)
"""CAI section 3.2: temperature 1, and nothing left out."""
TEXTS: dict[str, ModelRole] = {"answers": "assistant", "revisions": "assistant", "reasoning": "judge"}
"""The sections inside `sampling`, and who writes these texts."""


def settle(config: RunConfig, preferred: Callable[[ModelRole], SamplingOverrides]) -> RunConfig:
    """A run file in which every section of a kind of text says all about how it is sampled.

    Of each key holds the first that is given: in the section of these texts, in `sampling`, by the model that writes
    them (`preferred`), or by the paper. Trained models prefer what their base does.
    """
    sampling = config.sampling

    def settled(section: S, role: ModelRole) -> S:
        layers = (OFF, preferred(role), sampling, section)
        given = {key: value for layer in layers for key in KEYS if (value := getattr(layer, key)) is not None}
        return section.model_copy(update=given)

    inner = {name: settled(getattr(sampling, name), role) for name, role in TEXTS.items()}
    outer = {name: settled(getattr(config, name), "base") for name in ("pairs", "evaluation")}
    return config.model_copy(update={"sampling": sampling.model_copy(update=inner), **outer})
