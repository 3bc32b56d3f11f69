"""Which commit of a model on the Hub a run uses: looked up when the run begins, and kept in its run file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from solon.artifacts.finished import RUN
from solon.artifacts.run_folder import run_config
from solon.config.models import ModelRole, ModelSection
from solon.config.run import RunConfig
from solon.errors import Fault, ModelError
from solon.lm.engines import reads_folder
from solon.models.where import hub_model

if TYPE_CHECKING:
    from solon.models.hub import HubModel

Tell = Callable[[str], None]


def pin_models(config: RunConfig, folder: Path | None, tell: Tell | None = None) -> RunConfig:
    """The run file with the commit of every model on the Hub.

    What the run that `folder` may hold asked for in the same words stays the commit that it is there. Raises
    `ModelError` with every model that cannot be had.
    """
    wanted = {role: model for role, model in _on_hub(config).items() if model.commit is None}
    if not wanted:
        return config
    held = _on_hub(run_config(folder)).values() if folder and (folder / RUN).exists() else ()
    known = {model.asked: model for model in held}
    faults: list[Fault] = []
    for model in wanted.values():
        if model.asked not in known:
            known[model.asked] = _looked_up(model, tell, faults)
    if faults:
        raise ModelError(faults)
    return _with_paths(config, {role: str(known[model.asked]) for role, model in wanted.items()})


def _on_hub(config: RunConfig) -> dict[ModelRole, HubModel]:
    """Models on the Hub by the role that names them."""
    found = {}
    for role in get_args(ModelRole):
        section = getattr(config.models, role)
        if reads_folder(section.engine) and (model := hub_model(section.path)) is not None:
            found[role] = model
    return found


def _looked_up(model: HubModel, tell: Tell | None, faults: list[Fault]) -> HubModel:
    """With its commit; as it is, if it is at fault."""
    from solon.models.hub import look_up

    try:
        return look_up(model, tell)
    except ModelError as error:
        faults.extend(error.faults)
        return model


def _with_paths(config: RunConfig, paths: Mapping[ModelRole, str]) -> RunConfig:
    sections = {str(role): _with_path(getattr(config.models, role), path) for role, path in paths.items()}
    return config.model_copy(update={"models": config.models.model_copy(update=sections)})


def _with_path(section: ModelSection, path: str) -> ModelSection:
    return section.model_copy(update={"path": path})
