"""What a model folder must look like, and which of its files make the model what it is: neither weights nor torch are
loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from solon.artifacts.hashes import sha256_file
from solon.errors import Fault, ModelError, Where

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model", "vocab.txt")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")
_TEMPLATES = "additional_chat_templates/*.jinja"
_WEIGHTS = "*.safetensors"
_ADAPTER = "adapter_config.json"
RATING_MEAN = "rating_mean"
"""In config.json: makes a preference model a regressor of ratings."""
CODE = "*.py"
"""Files that a model may run where it is trusted."""
SETTINGS = ("*.json", "*.jinja", _TEMPLATES, "*.model", "*.tiktoken", "*.bpe", "vocab.txt", "merges.txt")
"""Files that make a model what it is, beside its weights and code: settings, chat templates, vocabularies."""


def check_folder(folder: Path, *, trust_remote_code: bool = False) -> None:
    """Raises `ModelError`, naming every fault of the folder and the remedy."""
    faults = _folder_faults(folder) or _settings_faults(folder, trust_remote_code)
    if folder.is_dir():
        faults += tokenizer_faults(folder)
    if faults:
        raise ModelError(faults)


def check_regressor(folder: Path) -> None:
    """Raises `ModelError` unless the folder, which `check_folder` has passed, holds a regressor of ratings."""
    if json.loads((folder / "config.json").read_text(encoding="utf-8")).get(RATING_MEAN) is None:
        hint = "give a folder that `solon eval harmfulness --train` wrote, e.g. harm/regressor/model"
        raise ModelError("holds no regressor of ratings", where=Where(folder), hint=hint)


def check_settings(folder: Path, *, trust_remote_code: bool = False) -> None:
    """The same of a folder that has no weights yet."""
    if faults := _settings_faults(folder, trust_remote_code) + tokenizer_faults(folder):
        raise ModelError(faults)


@contextmanager
def told_as(folder: Path, name: str) -> Iterator[None]:
    """Faults of the folder are told as those of what it stands for."""
    try:
        yield
    except ModelError as error:
        raise ModelError([_under(name, folder, fault) for fault in error.faults]) from error


def _under(name: str, folder: Path, fault: Fault) -> Fault:
    where = fault.where and replace(fault.where, path=str(fault.where.path).replace(str(folder), name))
    return replace(fault, where=where)


@contextmanager
def faults_of(folder: Path) -> Iterator[None]:
    """What is found wrong with a model, and does not say where, is wrong with this folder."""
    try:
        yield
    except ModelError as error:
        raise ModelError([replace(fault, where=fault.where or Where(folder)) for fault in error.faults]) from error


def weight_files(folder: Path) -> list[Path]:
    """The files of a model's weights, as its index names them where they are in several. Raises `ModelError`."""
    whole = folder / "model.safetensors"
    if whole.is_file():
        return [whole]
    names = indexed_weights(folder)
    if names is None:
        hint = "copy model.safetensors.index.json from where the model came from"
        raise ModelError("neither model.safetensors nor an index of several such files", where=Where(folder), hint=hint)
    if absent := [name for name in names if not (folder / name).is_file()]:
        what = f"weights not in the folder: {', '.join(absent[:3])} ({len(absent)} of {len(names)} files)"
        raise ModelError(what, where=Where(folder), hint="copy them from where the model came from")
    return [folder / name for name in names]


def weight_bytes(folder: Path) -> int:
    """How large the files of its weights are."""
    return sum(path.stat().st_size for path in folder.glob(_WEIGHTS))


def indexed_weights(folder: Path) -> list[str] | None:
    """The files that the index of the weights names; None if there is no index. Raises `ModelError`."""
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return None
    try:
        described = json.loads(index.read_text(encoding="utf-8"))
        names = sorted({str(Path(name)) for name in described["weight_map"].values()})
        described["metadata"].items()  # which the loader asks for
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        hint = "copy it again from where it came from"
        raise ModelError("is no index of weights", where=Where(index), hint=hint) from error
    if beyond := [name for name in names if not _beside(name)]:
        what = f"names weights that are no *.safetensors beside it, e.g. {beyond[0]!r}"
        raise ModelError(what, where=Where(index), hint="do not trust this model: files elsewhere are not its own")
    return names


def _beside(name: str) -> bool:
    """Whether it is a file of weights that `fingerprints` would find: an index is as little trusted as what it names,
    and may lead out of the folder."""
    return Path(name).name == name and name.endswith(".safetensors") and not name.startswith(".")


def _folder_faults(folder: Path) -> list[Fault]:
    where = Where(folder)
    if folder.suffix == ".gguf":
        return listing_faults([folder.name], where)
    if not folder.exists():
        hint = "give a folder on this machine, or OWNER/NAME of a model on the Hugging Face Hub"
        return [Fault("no such model folder", where, hint)]
    if not folder.is_dir():
        return [Fault("not a folder", where, "give the folder that holds config.json and *.safetensors")]
    return listing_faults([path.name for path in folder.iterdir()], where)


def _settings_faults(folder: Path, trust_remote_code: bool) -> list[Fault]:
    """config.json is there."""
    config = folder / "config.json"
    try:
        described: Any = json.loads(config.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        return [Fault(f"config.json is not JSON: {error}", Where(config), "copy it again from where it came from")]
    if not isinstance(described, dict):
        return [Fault("config.json holds no object", Where(config), "copy it again from where it came from")]
    if "auto_map" in described and not trust_remote_code:
        hint = "read that code; if you trust it, set models.trust_remote_code = true"
        return [Fault("the folder wants to run Python code of its own", Where(config), hint)]
    return _quantized_faults(described, Where(config))


def _quantized_faults(described: dict[str, Any], where: Where) -> list[Fault]:
    text = described.get("text_config")
    settings = described.get("quantization_config") or (isinstance(text, dict) and text.get("quantization_config"))
    if not settings:
        return []
    method = settings.get("quant_method") if isinstance(settings, dict) else None
    hint = "give the model it was made from, in bfloat16 or float32: what is quantized cannot be trained"
    return [Fault(f"the weights are quantized ({method or 'by a method without a name'})", where, hint)]


def listing_faults(files: Collection[str], where: Where) -> list[Fault]:
    """What is wrong with a model that has these files, by their names."""
    if _ADAPTER in files:
        hint = "merge it into its model where it was trained: merge_and_unload(), then save_pretrained(new)"
        return [Fault("holds an adapter (LoRA), not a whole model", where, hint)]
    if not any(name.endswith(".safetensors") for name in files):
        return [_weights_fault(files, where)]
    if "config.json" not in files:
        return [Fault("no config.json beside the weights", where, "copy it from where the model came from")]
    return []


def _weights_fault(files: Collection[str], where: Where) -> Fault:
    if any(name.endswith(".gguf") for name in files):
        return Fault("GGUF weights cannot be trained", where, "import them: solon models import FILE.gguf -o DIR")
    if pickles := sorted(name for name in files if name.endswith(_PICKLES)):
        convert = (
            "a pickle can run any code when opened; convert it where you trust it: "
            "AutoModelForCausalLM.from_pretrained(old).save_pretrained(new)"
        )
        return Fault(f"weights only as pickles ({', '.join(pickles[:3])})", where, convert)
    return Fault("no *.safetensors weights in the folder", where, "give a Hugging Face model folder")


def tokenizer_faults(folder: Path) -> list[Fault]:
    if any((folder / name).is_file() for name in _TOKENIZER_FILES):
        return []
    hint = "copy tokenizer.json and tokenizer_config.json from where the model came from"
    return [Fault("no tokenizer in the model folder", Where(folder), hint)]


def fingerprints(folder: Path, *, code: bool = False) -> dict[str, str]:
    """sha256 of weights, settings, tokenizer and chat templates by name, and of Python files where `code` may run.

    Cards and licenses are not among them. All other files with the suffix of settings are, since a tokenizer may read
    what only its own class knows. Example: `{"config.json": "1f0c...", "model.safetensors": "9be3..."}`.
    """
    files = sorted(path.relative_to(folder).as_posix() for path in _files(folder, code))
    return {name: sha256_file(folder / name) for name in files}


def folder_hash(folder: Path) -> str:
    """sha256 over the `fingerprints`."""
    return hashlib.sha256(json.dumps(fingerprints(folder), sort_keys=True).encode()).hexdigest()


def _files(folder: Path, code: bool) -> Iterator[Path]:
    for pattern in (*SETTINGS, _WEIGHTS):
        yield from (path for path in folder.glob(pattern) if path.is_file() and not path.name.startswith("."))
    if code:
        yield from folder.rglob(CODE)
