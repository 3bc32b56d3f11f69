"""One model, opened from the command line alone: named, fetched and driven as the assistant of a run would be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

from typer import Option

from solon.config.load import load_run_config
from solon.config.paths import WORLD
from solon.config.run import RunConfig
from solon.lm.engines import reads_folder
from solon.models.folder import check_folder
from solon.models.where import bring_model
from solon.pipeline.pinning import pin_models

if TYPE_CHECKING:
    from solon.pipeline.actors import Actor

SECTIONS = ("models", "sampling")
"""Of a run file, which such commands read by `--set`."""
Engine = Annotated[str, Option(metavar="NAME", help="What runs the model.")]


def one_model(
    model: str, engine: str, settings: Sequence[str], *, seed: int, more: Mapping[str, object] = MappingProxyType({})
) -> RunConfig:
    """The settings of a run in which this model is the assistant. `more`: further keys, whose sections are read too."""
    flags = {"models.assistant": model, "models.assistant.engine": engine, "prompts.source": WORLD, "seed": seed}
    sections = {*SECTIONS, *(key.partition(".")[0] for key in more)}
    return load_run_config(None, settings, {**flags, **more}, sections=sections)


def brought(config: RunConfig, tell: Callable[[str], None] | None) -> RunConfig:
    """The settings, with the commit of a model on the Hub. Raises `ModelError` if the model cannot be had.

    tell: is told while something is fetched.
    """
    config, code = pin_models(config, None, tell), config.models.trust_remote_code
    writer = config.models.role("assistant")
    if reads_folder(writer.engine):
        check_folder(bring_model(writer.path, code=code, tell=tell), trust_remote_code=code)
    return config


def open_one(config: RunConfig, work: Path | None = None) -> Actor:
    """The model. work: a folder that keeps what requests to a server have cost."""
    from solon.pipeline.actors import Actors

    return Actors(config=config, run=work).actor("assistant", None, lambda rows, tokens: None)
