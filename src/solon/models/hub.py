"""Models on the Hugging Face Hub: from a name to a commit, and from a commit to a folder in the library's cache.

`HF_HOME`, `HF_ENDPOINT`, `HF_HUB_OFFLINE` and tokens are huggingface_hub's to read; no token is told. Only what a run
reads is downloaded: weights as safetensors, settings, the tokenizer, and Python files where they may run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from huggingface_hub import HfApi, constants, errors, hf_hub_download, snapshot_download
from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

from solon.config_paths import HUB, HUB_MODEL
from solon.errors import Fault, ModelError, Where
from solon.models.folder import CODE, SETTINGS, check_settings, indexed_weights, listing_faults, weight_files

_TIMEOUT = 10.0
"""Seconds that the Hub has to say what it knows of a model. The library's own for the same question."""
_NO_ANSWER = (errors.HTTPError, ConnectionError)
"""Raised where there is no network, or HF_HUB_OFFLINE is set; also by every refusal, which is an `HfHubHTTPError`."""
Tell = Callable[[str], None]


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
    with _explained(model), _shown(bars=False):
        try:
            found, told = replace(model, commit=_asked_hub(model)), "on the Hugging Face Hub"
        except _NO_ANSWER as error:
            if _refused(error):
                raise
            found = replace(model, commit=_local(model, error).name)
            told = f"as it was downloaded before: {_unreached(error)}"
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
    if (whole := _whole(model, code)) is not None:
        return whole
    files: dict[str, Any] = {"repo_id": model.repo, "revision": model.commit}
    with _explained(model), _shown(bars):
        folder = Path(snapshot_download(**files, **_patterns(code)))
        check_settings(folder, trust_remote_code=code)
        return Path(snapshot_download(**files, allow_patterns=indexed_weights(folder) or ["model.safetensors"]))


def snapshot(model: HubModel) -> Path:
    """The folder of a model that was downloaded before; nothing is asked of the Hub. Raises `ModelError`."""
    with _explained(model):
        return _local(model)


def _whole(model: HubModel, code: bool) -> Path | None:
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


def _patterns(code: bool) -> dict[str, list[str]]:
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


@contextmanager
def _explained(model: HubModel) -> Iterator[None]:
    """What the library raises, as one line. Its own words hold addresses and advice on its functions."""
    try:
        yield
    except ModelError:
        raise
    except (*_NO_ANSWER, errors.HFValidationError, OSError, ValueError) as error:
        what, hint = _told(model, error)
        raise ModelError(Fault(what, Where(model.asked), hint)) from error


def _told(model: HubModel, error: Exception) -> tuple[str, str]:
    """What is wrong, and what to do."""
    status = error.response.status_code if isinstance(error, errors.HfHubHTTPError) else None
    if isinstance(error, errors.GatedRepoError):
        page = f"{constants.ENDPOINT}/{model.repo}"
        return "is behind a gate on the Hugging Face Hub", f"ask for access at {_bare(page)}, then `hf auth login`"
    if isinstance(error, errors.RepositoryNotFoundError):
        here = "" if Path(model.repo).exists() else ", and no such folder here"
        return f"no such model on the Hugging Face Hub{here}", "check the name; a private model needs `hf auth login`"
    if isinstance(error, errors.RevisionNotFoundError):
        return "the model has no such revision", "give one of its branches, tags or commits"
    if isinstance(error, errors.HFValidationError):
        return "not the name of a model on the Hugging Face Hub", "it is of the form OWNER/NAME"
    if status == 401:
        return "the Hugging Face Hub refuses your token", "log in again with `hf auth login`, or correct HF_TOKEN"
    if status is not None and status < 500:
        return f"the Hugging Face Hub answers with status {status}", "try again later"
    return _unavailable(model, error)


def _unavailable(model: HubModel, error: Exception) -> tuple[str, str]:
    """There is no answer, or one that is not the Hub's, or nowhere to put it."""
    cause = error.__cause__ if isinstance(error, errors.LocalEntryNotFoundError) else error
    if isinstance(cause, _NO_ANSWER):
        if model.commit is None:
            what = f"not a folder here, not downloaded before, and {_unreached(cause)}"
            return what, "connect, or give a folder on this machine"
        what = f"commit {model.commit} is not whole in {constants.HF_HUB_CACHE}, and {_unreached(cause)}"
        return what, "connect, and give the command again: files that are whole are kept"
    if isinstance(error, errors.LocalEntryNotFoundError):
        return f"not in {constants.HF_HUB_CACHE}", "connect, and give the command again: it is downloaded"
    if isinstance(error, OSError) and error.errno:
        hint = "make room or set HF_HOME to another place, and give the command again: files that are whole are kept"
        return f"cannot be kept in {constants.HF_HUB_CACHE}: {error.strerror}", hint
    return f"{_host()} does not answer as the Hugging Face Hub does", "check HF_ENDPOINT"


def _refused(error: Exception) -> bool:
    """Whether the Hub has answered, and will say the same again."""
    return isinstance(error, errors.HfHubHTTPError) and error.response.status_code < 500


def _unreached(error: BaseException) -> str:
    if isinstance(error, errors.HfHubHTTPError):
        return f"{_host()} answers with status {error.response.status_code}"
    return "HF_HUB_OFFLINE is set" if isinstance(error, errors.OfflineModeIsEnabled) else f"{_host()} cannot be reached"


def _host() -> str:
    return urlsplit(constants.ENDPOINT).hostname or constants.ENDPOINT


def _bare(address: str) -> str:
    """Without the name and password that may stand in it."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
