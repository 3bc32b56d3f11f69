"""What can go wrong between here and the Hugging Face Hub, each in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from huggingface_hub import constants, errors

from solon.errors import Fault, ModelError, Where

if TYPE_CHECKING:
    from solon.models.hub import HubModel

NO_ANSWER: tuple[type[Exception], ...] = (errors.HTTPError, ConnectionError)  # type: ignore[attr-defined]
"""Raised where there is no network, or HF_HUB_OFFLINE is set; also by every refusal, which is an `HfHubHTTPError`."""

_CAUGHT: tuple[type[Exception], ...] = (*NO_ANSWER, errors.SafetensorsParsingError, OSError, ValueError)


@contextmanager
def explained(model: HubModel) -> Iterator[None]:
    """What the library raises, as one line. Its own words hold addresses and advice on its functions."""
    try:
        yield
    except ModelError:
        raise
    except _CAUGHT as error:
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
    if isinstance(error, errors.SafetensorsParsingError):
        return "one of its files of weights is no safetensors file", "choose another model"
    if status == 401:
        return "the Hugging Face Hub refuses your token", "log in again with `hf auth login`, or correct HF_TOKEN"
    if status is not None and status < 500:
        return f"the Hugging Face Hub answers with status {status}", "try again later"
    return _unavailable(model, error)


def _unavailable(model: HubModel, error: Exception) -> tuple[str, str]:
    """There is no answer, or one that is not the Hub's, or nowhere to put it."""
    cause = error.__cause__ if isinstance(error, errors.LocalEntryNotFoundError) else error
    if isinstance(cause, NO_ANSWER):
        if model.commit is None:
            what = f"not a folder here, not downloaded before, and {unreached(cause)}"
            return what, "connect, or give a folder on this machine"
        what = f"commit {model.commit} is not whole in {constants.HF_HUB_CACHE}, and {unreached(cause)}"
        return what, "connect, and give the command again: files that are whole are kept"
    if isinstance(error, errors.LocalEntryNotFoundError):
        return f"not in {constants.HF_HUB_CACHE}", "connect, and give the command again: it is downloaded"
    if isinstance(error, OSError) and error.errno:
        hint = "make room or set HF_HOME to another place, and give the command again: files that are whole are kept"
        return f"cannot be kept in {constants.HF_HUB_CACHE}: {error.strerror}", hint
    return f"{_host()} does not answer as the Hugging Face Hub does", "check HF_ENDPOINT"


def refused(error: Exception) -> bool:
    """Whether the Hub has answered, and will say the same again."""
    return isinstance(error, errors.HfHubHTTPError) and error.response.status_code < 500


def unreached(error: BaseException) -> str:
    if isinstance(error, errors.HfHubHTTPError):
        return f"{_host()} answers with status {error.response.status_code}"
    return "HF_HUB_OFFLINE is set" if isinstance(error, errors.OfflineModeIsEnabled) else f"{_host()} cannot be reached"


def _host() -> str:
    return urlsplit(constants.ENDPOINT).hostname or constants.ENDPOINT


def _bare(address: str) -> str:
    """Without the name and password that may stand in it."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
