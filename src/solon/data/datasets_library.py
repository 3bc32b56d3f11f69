"""Folders that the `datasets` library saved, and data sets on the Hugging Face Hub. The core does without it."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from solon.artifacts.hashes import sha256_file
from solon.config.paths import HUB
from solon.data.faults import Row, Unreadable, first_line, optional_library
from solon.data.rows import is_hub
from solon.data.tables import batch_rows, known_columns

try:
    import datasets
    from pyarrow import ArrowException
except ImportError as error:
    raise optional_library("datasets") from error

_SPEC = re.compile(
    rf"{HUB}(?P<name>[^:@#]+)(?::(?P<config>[^@#]+))?(?:@(?P<revision>[^#]+))?(?:#(?P<split>.+))?", re.DOTALL
)
_BATCH = 1000
_TELLING = (OSError, ValueError, RuntimeError, ArrowException, datasets.exceptions.DatasetsError)
"""Errors of the library that say what is wrong."""


@dataclass(frozen=True, kw_only=True)
class HubName:
    """A data set on the Hub, or a local folder that looks like one."""

    name: str
    """Of a folder its whole path, so that no name is taken for one of the library's readers."""
    folder: str | None
    config: str | None
    revision: str | None
    split: str

    @classmethod
    def of(cls, source: str) -> HubName:
        """Reads `hf:OWNER/NAME[/FOLDER][:CONFIG][@REVISION][#SPLIT]`; the split is `train` unless named."""
        found = _SPEC.fullmatch(source)
        if found is None:
            raise Unreadable("not the name of a data set", hint="hf:OWNER/NAME[/FOLDER][:CONFIG][@REVISION][#SPLIT]")
        name, folder = found["name"], None
        local = Path(name).expanduser()
        if local.is_dir():
            name = str(local.absolute())
        elif "/" not in name:
            # A bare name such as `json` would mean the library's own reader, of all files that lie about.
            raise Unreadable("neither a folder nor the name of a data set", hint=f"{HUB}OWNER/{name}")
        elif name.count("/") > 1:
            owner, name, folder = name.split("/", 2)
            name = f"{owner}/{name}"
        split = found["split"] or "train"
        return cls(name=name, folder=folder, config=found["config"], revision=found["revision"], split=split)


def rows(source: str | Path, columns: Collection[str]) -> Iterator[Row]:
    """Every row of a saved folder or of a data set on the Hub. Raises `Unreadable`, in the words of the library."""
    data = _data(source)
    return batch_rows(_batches(source, data, known_columns(data.column_names, columns)), data.column_names)


def _batches(source: str | Path, data: Any, names: list[str]) -> Iterator[Any]:
    with _explained(source):
        yield from data.select_columns(names).with_format("arrow").iter(batch_size=_BATCH)


def fingerprints(source: str | Path) -> dict[str, str]:
    """The sha256 of the data; of a data set on the Hub also the `revision`: the commit that its name led to.

    Of a local folder, that is the library's own hash.
    """
    if not is_hub(source):
        return {"": _sha256(sorted(path for path in Path(source).rglob("*") if path.is_file()))}
    data, builder = _data(source), _builder(str(source))
    commit = re.search(r"@([0-9a-f]{40})", str(builder.base_path))
    revision = commit[1] if commit else str(builder.hash)
    return {"": _sha256([Path(file["filename"]) for file in data.cache_files]), "revision": revision}


def _sha256(paths: list[Path]) -> str:
    return hashlib.sha256("".join(sha256_file(path) for path in paths).encode()).hexdigest()


def _data(source: str | Path) -> Any:
    with _explained(source):
        if not is_hub(source):
            return _from_disk(Path(source))
        builder = _builder(str(source))
        builder.download_and_prepare()
        return builder.as_dataset(split=HubName.of(str(source)).split)


@contextmanager
def _explained(source: str | Path) -> Iterator[None]:
    """What the library raises, in its words. On broken files that may be anything."""
    try:
        yield
    except Unreadable:
        raise
    except Exception as error:
        generating = isinstance(error, datasets.exceptions.DatasetGenerationError)
        cause = (error.__cause__ if generating else None) or error
        name = "" if isinstance(cause, _TELLING) or not str(cause) else f"{type(cause).__name__}: "
        what = f"`datasets` cannot load it: {name}{first_line(cause)}"
        raise Unreadable(what, hint=_hint(source, cause)) from error


def _hint(source: str | Path, error: BaseException) -> str | None:
    remote = is_hub(source) and not Path(HubName.of(str(source)).name).is_absolute()
    if remote and not isinstance(error, ValueError):
        return "check its name and the network; one behind a gate needs `hf auth login`"
    return None if isinstance(error, _TELLING) else "is one of its files empty or damaged?"


def _from_disk(folder: Path) -> Any:
    if not any((folder / name).is_file() for name in ("state.json", "dataset_dict.json")):
        raise Unreadable("is a folder", hint=f"give a file, a folder that `datasets` saved, or {HUB}{folder}")
    data = datasets.load_from_disk(str(folder))
    if isinstance(data, datasets.DatasetDict):
        splits = ", ".join(str(folder / name) for name in data)
        raise Unreadable("the folder holds several splits", hint=f"give one of them: {splits}")
    return data


@cache
def _builder(source: str) -> Any:
    """Asked of the Hub once, so that a run reads one revision however often it looks."""
    datasets.disable_progress_bars()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its error says at last what each retry warns of
    name = HubName.of(source)
    return datasets.load_dataset_builder(name.name, name.config, data_dir=name.folder, revision=name.revision)
