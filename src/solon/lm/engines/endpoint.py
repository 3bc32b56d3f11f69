"""The endpoint engine: a model on any server that speaks OpenAI's protocol. Needs the extra `endpoint`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from solon.lm.engines import ModelSpec

if TYPE_CHECKING:
    from solon.lm.endpoint.model import EndpointModel

NEEDS = ("aiohttp", "certifi")
READS_FOLDER = False


def open_engine(spec: ModelSpec) -> EndpointModel:
    """See `open_model`."""
    from solon.lm.endpoint.model import open_model

    return open_model(spec)
