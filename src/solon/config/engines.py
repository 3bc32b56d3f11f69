"""What can run a model, and the settings that one engine alone has: sections inside that of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias
from urllib.parse import urldefrag

from pydantic import Field

from solon.config.section import MECHANICAL, Section, names_in

ENGINES = names_in("lm/engines")
"""What can run a model."""
if TYPE_CHECKING:
    Engine: TypeAlias = str
else:
    Engine = Literal[ENGINES]


class EndpointSection(Section):
    """How a model on a server is asked; which server and model it is says the role's `path`, as `URL#MODEL`."""

    api: Literal["auto", "chat", "completions"] = "auto"
    """`chat`: messages, around which the server writes its model's chat template. `completions`: plain text. `auto`:
    completions if the role's `dialogue` is human-assistant, else chat, which most models on servers are made for."""
    key: Annotated[str, MECHANICAL] = "OPENAI_API_KEY"
    """The environment variable that holds the key; a server that asks for none needs none. As OpenAI's client."""
    timeout: Annotated[float, MECHANICAL] = Field(120.0, gt=0.0)
    """Seconds that one request may take. Assumption: a thousand tokens of a busy server."""
    concurrency: Annotated[int, MECHANICAL] = Field(64, ge=1)
    """Requests at once, at most; fewer while the server says that they are too many. Assumption."""
    retries: Annotated[int, MECHANICAL] = Field(6, ge=0)
    """How often a request that failed is sent again. With pauses that double from half a second, 6 outlast a server's
    restart of half a minute."""
    top_logprobs: int = Field(20, ge=2)
    """Likeliest tokens among which options are looked for. 20: all that OpenAI and vLLM give."""
    samples: int = Field(8, ge=1)
    """Replies that a verdict is counted from where a server gives no log-probabilities. Assumption: a label is then
    within 0.35 of the true share, at 95%."""
    sample_temperature: float = Field(1.0, gt=0.0)
    """Of those replies. 1: the model's own distribution, which log-probabilities would be of."""
    max_tokens: Annotated[int | None, MECHANICAL] = Field(None, ge=1)
    """Tokens, read and written, that the run may cost. The request that might exceed it is not sent."""
    max_cost: Annotated[float | None, MECHANICAL] = Field(None, gt=0.0)
    """Likewise in money, by the prices below."""
    input_price: Annotated[float, MECHANICAL] = Field(0.0, ge=0.0)
    """Of a million tokens read, in any currency."""
    output_price: Annotated[float, MECHANICAL] = Field(0.0, ge=0.0)
    """Of a million tokens written."""


def server_and_model(path: str) -> tuple[str, str] | None:
    """`URL#MODEL` in its parts; None if it is not one. E.g. `http://localhost:8000/v1#my-model`."""
    url, model = urldefrag(path)
    return (url, model) if url.startswith(("http://", "https://")) and model else None


class VllmSection(Section):
    """How vLLM uses the machine. The keys are called as vLLM calls them."""

    max_model_len: int | None = Field(None, ge=8)
    """Tokens that prompt and reply may have together. None: as many as the model reads, which is the most."""
    gpu_memory_utilization: Annotated[float | None, MECHANICAL] = Field(None, gt=0.0, le=1.0)
    """Share of the GPU's memory for weights and for what was read; without a GPU, of main memory. None: 0.9 of a GPU's,
    a quarter of main memory. Assumption."""
    tensor_parallel_size: Annotated[int, MECHANICAL] = Field(1, ge=1)
    """GPUs that share the weights."""
    enforce_eager: Annotated[bool, MECHANICAL] = False
    """Start sooner and write slower: nothing is compiled."""
