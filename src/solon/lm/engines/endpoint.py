"""The endpoint engine: a model on any server that speaks OpenAI's protocol. Needs the extra `endpoint`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from solon.errors import ConfigError
from solon.lm.engines import ModelSpec

if TYPE_CHECKING:
    from solon.lm.endpoint.model import EndpointModel

READS_FOLDER = False


def open_engine(spec: ModelSpec) -> EndpointModel:
    """See `open_model`. Raises `ConfigError` without the client library."""
    if any(find_spec(name) is None for name in ("openai", "aiohttp")):
        raise ConfigError("asking a server needs a library that is not installed", hint="pip install 'solon[endpoint]'")
    from solon.lm.endpoint.model import open_model

    return open_model(spec)
