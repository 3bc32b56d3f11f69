"""Models on the Hugging Face Hub: from a name to a commit, and from a commit to a folder in the library's cache.

`HF_HOME`, `HF_ENDPOINT`, `HF_HUB_OFFLINE` and tokens are huggingface_hub's to read; no token is told. Only what a run
reads is downloaded: weights as safetensors, settings, the tokenizer, and Python files where they may run.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from huggingface_hub import HfApi, errors, hf_hub_download, snapshot_download
from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

from solon.config.paths import HUB, HUB_MODEL
from solon.errors import ModelError, Where
from solon.models.folder import CODE, SETTINGS, check_settings, indexed_weights, listing_faults, told_as, weight_files
from solon.models.hub_faults import NO_ANSWER, explained, refused, unreached

_TIMEOUT = 10.0
"""Seconds that the Hub has to say what it knows of a model. The library's own for the same question."""
Tell = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class HubModel:
    """A model on the Hub."""

    repo: str
    """`OWNER/NAME`."""
    revision: str | None = None
    """A branch, tag or commit as it was asked for; None: the main branch."""
    commit: str | None = None
    """What the revision stands for; None: not looked up yet."""

    @classmethod
    def of(cls, name: str) -> HubModel | None:
        """What `[hf:]OWNER/NAME[@REVISION][#COMMIT]` names; None for a path. Without `hf:`, what exists is a path, and
        so is every GGUF file. Raises `ModelError` if `hf:` stands before anything else."""
        found = HUB_MODEL.fullmatch(name)
        if name.startswith(HUB):
            if found is None:
                hint = f"{HUB}OWNER/NAME, with @REVISION behind it if you want another than the newest"
                raise ModelError("not the name of a model on the Hugging Face Hub", where=Where(name), hint=hint)
        elif found is None or name.endswith(".gguf") or Path(name).exists():
            return None
        return cls(**found.groupdict())

    def __str__(self) -> str:
        """A name that `of` reads as this model wherever it stands."""
        commit = "" if self.commit in (None, self.revision) else f"#{self.commit}"
        return f"{HUB}{self.asked}{commit}"

    @property
    def asked(self) -> str:
        return self.repo + (f"@{self.revision}" if self.revision else "")


def look_up(model: HubModel, tell: Tell | None = None) -> HubModel:
    """The model with the commit that its revision stands for today. Where the Hub cannot be reached, it is the one that
    was downloaded last, and `tell` is told. Raises `ModelError`, also for a model without safetensors."""
    with explained(model), _shown(bars=False):
        try:
            found, told = replace(model, commit=_asked_hub(model)), "on the Hugging Face Hub"
        except NO_ANSWER as error:
            if refused(error):
                raise
            found = replace(model, commit=_local(model, error).name)
            told = f"as it was downloaded before: {unreached(error)}"
    if tell:
        tell(f"{model.asked} is commit {found.commit} {told}")
    return found


def _asked_hub(model: HubModel) -> str:
    """The commit. One file is fetched too: whether there is a gate shows in files alone, and with it the library keeps
    what the revision stood for."""
    found = HfApi().model_info(model.repo, revision=model.revision, timeout=_TIMEOUT)
    here = [file.rfilename for file in found.siblings or () if "/" not in file.rfilename]
    if faults := listing_faults(here, Where(model.asked)):
        raise ModelError(faults)
    return Path(hf_hub_download(model.repo, "config.json", revision=model.revision)).parent.name


def download(model: HubModel, *, code: bool = False, bars: bool = False) -> Path:
    """The folder of a model whose commit is known. What it lacks is downloaded; if nothing, the Hub is not asked.

    Settings come first, so that a model that no run can use is refused before its weights come.

    Args:
        code: whether its Python files may run.
        bars: whether to show progress.
    """
    if (whole := downloaded(model, code=code)) is not None:
        return whole
    with explained(model), _shown(bars):
        weights = _weights(_settings(model, code))
        return Path(_abandonable(lambda: snapshot_download(model.repo, revision=model.commit, allow_patterns=weights)))


def _abandonable(call: Callable[[], T]) -> T:
    """What the call returns. An interrupt leaves it at once; the library would wait until its files are whole."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where the result is waited for
            future.set_exception(error)

    Thread(target=work, daemon=True).start()
    return future.result()


def sketch(model: HubModel, into: Path, *, code: bool = False) -> Path:
    """The folder `into` as if the model were there, its weights headers alone: as large as the real ones, and empty.

    Some 100 kB are fetched of each file. What can be known of a model without its numbers can be known of this.
    """
    with explained(model), _shown(bars=False):
        folder = _settings(model, code)
        for path in folder.rglob("*"):
            if path.is_file() and path.suffix != ".safetensors":
                (into / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
                (into / path.relative_to(folder)).symlink_to(path.resolve())
        for name in _weights(folder):
            found = HfApi().parse_safetensors_file_metadata(model.repo, name, revision=model.commit)
            _write_header(into / name, {key: asdict(tensor) for key, tensor in found.tensors.items()})
    return into


def _write_header(file: Path, tensors: Mapping[str, Mapping[str, Any]]) -> None:
    """Of the safetensors format: the length of the header in 8 bytes, the header as JSON, and room for the numbers."""
    entries = {name: {key: told[key] for key in ("dtype", "shape", "data_offsets")} for name, told in tensors.items()}
    header = json.dumps(entries).encode()
    numbers = max((told["data_offsets"][1] for told in tensors.values()), default=0)
    with file.open("wb") as opened:
        opened.write(len(header).to_bytes(8, "little") + header)
        opened.truncate(8 + len(header) + numbers)


def _settings(model: HubModel, code: bool) -> Path:
    """The folder with all files but the weights. Raises `ModelError` if no run can use a model with such."""
    folder = Path(snapshot_download(model.repo, revision=model.commit, **_patterns(code)))
    with told_as(folder, model.asked):
        check_settings(folder, trust_remote_code=code)
    return folder


def _weights(folder: Path) -> list[str]:
    return indexed_weights(folder) or ["model.safetensors"]


def snapshot(model: HubModel) -> Path:
    """The folder of a model that was downloaded before; nothing is asked of the Hub. Raises `ModelError`."""
    with explained(model):
        return _local(model)


def downloaded(model: HubModel, *, code: bool = False) -> Path | None:
    """The folder, if every file that a run reads is in it."""
    try:
        folder = _local(model, code=code)
        weight_files(folder)
    except (errors.LocalEntryNotFoundError, ModelError):
        return None
    return folder


def _local(model: HubModel, reason: Exception | None = None, *, code: bool = False) -> Path:
    """Without the weights. `reason`: why the Hub is not asked."""
    named: dict[str, Any] = {"revision": model.commit or model.revision, **_patterns(code)}
    try:
        return Path(snapshot_download(model.repo, local_files_only=True, **named))
    except errors.LocalEntryNotFoundError as error:
        raise (reason or error) from error


def _patterns(code: bool) -> dict[str, Any]:
    """Which files beside the weights are downloaded. What lies below the model's folder is of another model, but for
    templates."""
    below = [f"*/{pattern}" for pattern in SETTINGS if not pattern.endswith(".jinja")]
    return {"allow_patterns": [*SETTINGS, *([CODE] if code else [])], "ignore_patterns": below}


@contextmanager
def _shown(bars: bool) -> Iterator[None]:
    """With the library's progress bars or without, and without its warnings, which its errors repeat."""
    logger, before = logging.getLogger("huggingface_hub"), are_progress_bars_disabled()
    level = logger.level
    logger.setLevel(logging.ERROR)
    if not bars:
        disable_progress_bars()
    try:
        yield
    finally:
        logger.setLevel(level)
        if not bars and not before:
            enable_progress_bars()
