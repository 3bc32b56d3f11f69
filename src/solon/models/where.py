"""Where models are: from the name that a run file gives to a folder on this machine. Without torch."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from solon.config.paths import EMBEDDED, EMBEDDED_MODELS, HUB, HUB_MODEL
from solon.errors import ModelError
from solon.models.folder import told_as

if TYPE_CHECKING:
    from solon.models.hub import HubModel, Tell


def model_folder(name: str) -> Path:
    """The folder that a name of a model stands for. Nothing is downloaded.

    Raises `ModelError` if it is a model on the Hub that is not in the cache, or a shipped model without weights.
    """
    if (model := hub_model(name)) is not None:
        from solon.models.hub import snapshot

        return snapshot(model)
    return embedded_model(name) if name in EMBEDDED_MODELS else Path(name)


def bring_model(name: str, *, code: bool = False, tell: Tell | None = None) -> Path:
    """The same; a model on the Hub is downloaded first.

    Args:
        code: whether the model's Python files may run.
        tell: is told which commit it is, and progress is shown; None: neither.
    """
    if (model := hub_model(name)) is None:
        return model_folder(name)
    from solon.models.hub import download, look_up

    found = model if model.commit else look_up(model, tell)
    return download(found, code=code, bars=tell is not None)


@contextmanager
def sketched_model(name: str, *, code: bool = False, tell: Tell | None = None) -> Iterator[Path]:
    """A folder that can be looked at in the place of a model's: of one on the Hub that was not downloaded before, its
    weights are empty. Faults of what is in it are told under the model's name."""
    model = hub_model(name)
    if model is None:
        yield model_folder(name)
        return
    from solon.models.hub import downloaded, look_up, sketch

    found = model if model.commit else look_up(model, tell)
    if (whole := downloaded(found, code=code)) is not None:
        yield whole
        return
    with TemporaryDirectory() as folder, told_as(Path(folder), found.asked):
        yield sketch(found, Path(folder), code=code)


def hub_model(name: str) -> HubModel | None:
    """The model on the Hub that a name means, if any. The Hub's library is imported only for what looks like one."""
    if not name.startswith(HUB) and not HUB_MODEL.fullmatch(name):
        return None
    from solon.models.hub import HubModel

    return HubModel.of(name)


@cache
def embedded_model(name: str = EMBEDDED) -> Path:
    """A shipped model's folder, in Hugging Face layout. Raises `ModelError` in a checkout without its weights."""
    keep = ExitStack()
    atexit.register(keep.close)
    folder = keep.enter_context(as_file(files("solon").joinpath("embedded", EMBEDDED_MODELS[name])))
    if not (folder / "model.safetensors").is_file():
        hint = f"`solon embedded pretrain` makes one; put it into {folder}"
        raise ModelError(f"the weights of the model {name} are missing", hint=hint)
    return folder
