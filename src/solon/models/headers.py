"""Do the weights of a model folder fit its config.json? Told from the headers of the safetensors files.

Transformers itself loads tensors that have the names and shapes of the weights and no numbers (on the meta device), so
that names it changes and tensors it joins while loading need no account here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from solon.errors import Fault, ModelError, Where
from solon.models.load import quiet

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
_AGAIN = "copy it again from where the model came from"
_LONGEST = 240
"""Characters that are quoted of an error."""
_TOGETHER = "copy config.json and weights from the same place"


def weight_faults(folder: Path, *, trust_remote_code: bool = False) -> list[Fault]:
    """Shards that are missing or cut off, and weights that config.json asks for otherwise or not at all.

    For a folder in which `check_folder` finds no fault. No weights are read: damage that leaves a file's header and
    length as they were is not found. If no model can be built from config.json, transformers' words
    are the fault.
    """
    try:
        return _misfits(folder, _tensors(_weight_files(folder)), trust_remote_code)
    except ModelError as error:
        return list(error.faults)


def _weight_files(folder: Path) -> list[Path]:
    """The files that transformers would read."""
    if (folder / WHOLE).is_file():
        return [folder / WHOLE]
    index = folder / INDEX
    if not index.is_file():
        hint = f"name a single file {WHOLE}; shards need their index"
        raise ModelError(f"neither {WHOLE} nor {INDEX} in the folder", where=Where(folder), hint=hint)
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError("no index of shards", where=Where(index), hint=_AGAIN) from error
    if missing := [name for name in names if not (folder / name).is_file()]:
        what = f"{len(missing)} of {len(names)} shards missing ({_some(missing)})"
        raise ModelError(what, where=Where(folder), hint="copy them from where the model came from")
    return [folder / name for name in names]


def _tensors(files: Iterable[Path]) -> dict[str, Tensor]:
    """Every tensor of the files, with its shape and without its numbers."""
    found: dict[str, Tensor] = {}
    faults = []
    for file in files:
        try:
            with safe_open(file, framework="pt") as opened:
                for name in opened.keys():  # noqa: SIM118 (no mapping)
                    found[name] = torch.empty(opened.get_slice(name).get_shape(), device="meta")
        except (OSError, SafetensorError) as error:
            faults.append(Fault(f"cut off or damaged: {error}", Where(file), _AGAIN))
    if faults:
        raise ModelError(faults)
    return found


def _misfits(folder: Path, tensors: dict[str, Tensor], trust_remote_code: bool) -> list[Fault]:
    model, found = _loaded(folder, tensors, trust_remote_code)
    missing, ill_shaped = sorted(found["missing_keys"]), sorted(found["mismatched_keys"])
    homeless = sorted(_without_layer(found["unexpected_keys"], model.state_dict()))
    whats = []
    if missing:
        whats.append(f"config.json asks for {len(missing)} missing weights ({_some(missing)})")
    if ill_shaped:
        name, has, wanted = ill_shaped[0]
        example = f"{name} is {_shape(has)}, not {_shape(wanted)}"
        whats.append(f"config.json asks for {len(ill_shaped)} weights of another shape ({example})")
    if homeless:
        whats.append(f"config.json has too few layers for {len(homeless)} weights ({_some(homeless)})")
    return [Fault(what, Where(folder), _TOGETHER) for what in whats]


def _loaded(
    folder: Path, tensors: dict[str, Tensor], trust_remote_code: bool
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """The model on the meta device, and what transformers says of its weights."""
    try:
        with quiet():
            config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=trust_remote_code)
            with torch.device("meta"):
                kind: Any = type(AutoModelForCausalLM.from_config(config, trust_remote_code=trust_remote_code))
            model, found = kind.from_pretrained(
                None,
                config=config,
                state_dict=tensors,
                device_map="meta",
                ignore_mismatched_sizes=True,  # they are named in `found` instead
                output_loading_info=True,
            )
    except Exception as error:  # config.json may say anything, and model classes do anything with it
        said = shorten(f"{type(error).__name__}: {error}", _LONGEST, placeholder=" ...")
        hint = "check config.json, or copy it again from where the model came from"
        raise ModelError(f"no model can be built: {said}", where=Where(folder / "config.json"), hint=hint) from error
    return model, found


def _without_layer(unexpected: Iterable[str], wanted: Collection[str]) -> list[str]:
    """Weights that the model would have if it had more layers. Others, e.g. of a head for another task, do no harm."""
    kinds = {_NUMBER.sub("#", name) for name in wanted}
    return [name for name in unexpected if _NUMBER.sub("#", name) in kinds]


_NUMBER = re.compile(r"\d+")


def _some(names: Collection[str]) -> str:
    return ", ".join(list(names)[:3])


def _shape(size: Iterable[int]) -> str:
    return "x".join(map(str, size))
