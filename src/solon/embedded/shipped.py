"""Where the shipped model lies."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from solon.config import EMBEDDED
from solon.errors import ModelError


def model_folder(name: str) -> Path:
    """The folder that a run file's name of a model stands for. Raises as `embedded_model`."""
    return embedded_model() if name == EMBEDDED else Path(name)


@cache
def embedded_model() -> Path:
    """The embedded model's folder, in Hugging Face layout. Raises `ModelError` in a source checkout without weights."""
    keep = ExitStack()
    atexit.register(keep.close)
    folder = keep.enter_context(as_file(files("solon.embedded").joinpath("model")))
    if not (folder / "model.safetensors").is_file():
        raise ModelError("the embedded model's weights are missing", hint="run `solon embedded pretrain`")
    return folder
