"""The endpoint engine: any OpenAI-compatible server, asked for completions or chat. Needs the extra `endpoint`.

The client library keeps connections, retries with growing pauses and honors `Retry-After`. Solon adds how many requests
wait at once, a budget of tokens, and what a failure means for its row.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import takewhile
from typing import Any, Literal
from urllib.parse import urldefrag
from weakref import WeakKeyDictionary

from solon.errors import (
    ConfigError,
    EngineError,
    EngineUnavailableError,
    GarbledError,
    RefusedError,
    TimedOutError,
    TooLongError,
    UnsupportedError,
)
from solon.lm.engines import ModelSpec
from solon.lm.protocols import Capabilities, Completion, OptionScores, Sampling
from solon.lm.stops import first_stop
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.context import Context
from solon.prompting.dialogue import HumanAssistant
from solon.seeds import portable_seed

READS_FOLDER = False
KEY = "SOLON_API_KEY"
"""The environment variable that holds the key; `OPENAI_API_KEY` if it is not set. It is never logged or kept."""
_NO_KEY = "none"  # the client wants one; servers of one's own do not
_STOPS = 4
"""Strings that OpenAI lets end a text; the others are looked for when it has come."""
_OVERLOADED = (429, 500, 502, 503, 504)
_UNREACHABLE = ("ConnectError", "ConnectTimeout")  # of the HTTP library, whichever the client brings
_SAID = 200
"""Characters quoted of what a server says."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A server, one of its models, and how it is asked."""

    url: str
    """Up to the version, e.g. `http://localhost:8000/v1`."""
    model: str
    api: Literal["completions", "chat"] = "completions"
    """`completions` takes rendered text, so that a reply can be begun and options can be scored; `chat` neither."""
    concurrency: int = 64
    """Requests at once, at most; fewer while the server says that they are too many."""
    timeout: float = 120.0
    """Seconds that one request may take."""
    retries: int = 6
    top_logprobs: int = 20
    """Likeliest tokens that are asked for when options are scored; OpenAI gives 5 to completions."""
    token_budget: float = math.inf
    """Tokens read and written that all requests together may cost. The one that might exceed it is not sent."""


def open_engine(spec: ModelSpec) -> EndpointModel:
    """The model that `spec.model` names as `URL#MODEL`. Raises `ConfigError` if it does not."""
    url, model = urldefrag(spec.model)
    if not url.startswith(("http://", "https://")) or not model:
        hint = "e.g. http://localhost:8000/v1#my-model"
        raise ConfigError(f"{spec.model!r} names no model on a server", hint=hint)
    if find_spec("openai") is None:
        raise ConfigError("asking a server needs a library that is not installed", hint="pip install 'solon[endpoint]'")
    return EndpointModel(Endpoint(url=url, model=model), spec.format)


class EndpointModel:
    """`LanguageModel` of a server."""

    def __init__(self, endpoint: Endpoint, format: DialogueFormat | None = None):
        """`format` renders contexts where the server completes text, by default as Human/Assistant."""
        self.endpoint = endpoint
        self.identity = f"endpoint:{endpoint.url}#{endpoint.model}"
        plain = endpoint.api == "completions"
        self.can = Capabilities(logprobs="top-k" if plain else "none", prefill=plain, seed=False, context=None)
        self.tokens = 0
        """Read and written so far, as the server counts them."""
        self._reserved = 0
        self._format = format or HumanAssistant()
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, _Session] = WeakKeyDictionary()

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        """See `LanguageModel`."""
        settings: dict[str, Any] = {"temperature": sampling.temperature, "seed": portable_seed(seed)}
        if self.endpoint.api == "completions":
            prompt = self._format.render(context)
            settings |= {"prompt": prompt, "stop": list(self._format.stop[:_STOPS])}
        elif context.prefill:
            raise UnsupportedError("a chat endpoint cannot begin a reply")
        else:
            settings["messages"] = messages = _messages(context)
            prompt = "\n\n".join(message["content"] for message in messages)
        reply = await self._ask(prompt, sampling.max_new_tokens, settings)
        return self._completion(prompt, reply, sampling.max_new_tokens)

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        """See `LanguageModel`. The log-probability is that of where the options differ, after what they share."""
        if self.endpoint.api == "chat":
            raise UnsupportedError("a chat endpoint gives no log-probabilities of options")
        shared = _shared(options)
        prompt = self._format.render(context) + shared
        settings = {"prompt": prompt, "temperature": 1.0, "logprobs": self.endpoint.top_logprobs}
        reply = await self._ask(prompt, 1, settings)
        top = reply.choices[0].logprobs and reply.choices[0].logprobs.top_logprobs
        if not top or not top[0]:
            raise UnsupportedError("the server gives no log-probabilities")
        return option_scores([option[len(shared) :] for option in options], top[0])

    async def _ask(self, prompt: str, new: int, settings: Mapping[str, Any]) -> Any:
        """The server's reply, with one choice. Raises an `EngineError`, or `EngineUnavailableError`."""
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop) or self._sessions.setdefault(loop, _Session(self.endpoint))
        resource: Any = session.client.completions
        if self.endpoint.api == "chat":
            resource = session.client.chat.completions
        # No text has more tokens than bytes, so the budget holds whatever the server counts.
        most = len(prompt.encode()) + new
        async with session.turns.one(lambda: self._room(most)):
            self._reserved += most
            try:
                with _failures(self.endpoint):
                    reply = await resource.create(model=self.endpoint.model, max_tokens=new, **settings)
                self.tokens += reply.usage.total_tokens if reply.usage else most
            finally:
                self._reserved -= most
        if not getattr(reply, "choices", None):
            raise GarbledError("a reply without choices")
        if reply.choices[0].finish_reason == "content_filter":
            raise RefusedError("the provider's filter stopped the reply")
        return reply

    def _room(self, tokens: int) -> bool:
        """Whether the budget has room for so many now. Raises `EngineUnavailableError` if it never will."""
        budget = self.endpoint.token_budget
        if self.tokens + tokens > budget:
            what = f"the next request might exceed the budget of {budget:,.0f} tokens ({self.tokens:,} are spent)"
            raise EngineUnavailableError(what, hint="raise it, then `solon resume`")
        return self.tokens + self._reserved + tokens <= budget

    def _completion(self, prompt: str, reply: Any, limit: int) -> Completion:
        choice = reply.choices[0]
        text = choice.text if self.endpoint.api == "completions" else choice.message.content
        if not isinstance(text, str):
            raise GarbledError(f"expected a text, got {text!r:.60}")
        place = first_stop(text, self._format.stop)
        ended: Literal["stop", "eos", "length"] = "length" if choice.finish_reason == "length" else "eos"
        if place is not None:
            text, ended = text[:place], "stop"
        written = reply.usage.completion_tokens if reply.usage else limit
        return Completion(prompt=prompt, text=text.strip(), tokens=written, ended=ended)


class _Session:
    """Connections and turns; they belong to one event loop."""

    def __init__(self, endpoint: Endpoint):
        import openai

        self.turns = Turns(endpoint.concurrency)

        async def heed(response: Any) -> None:
            self.turns.heed(response.status_code)

        self.client = openai.AsyncOpenAI(
            base_url=endpoint.url,
            api_key=os.environ.get(KEY) or os.environ.get("OPENAI_API_KEY") or _NO_KEY,
            timeout=endpoint.timeout,
            max_retries=endpoint.retries,
            http_client=openai.DefaultAsyncHttpxClient(event_hooks={"response": [heed]}),
        )


class Turns:
    """How many requests are under way: one more after as many good replies as there are turns, half as many, and at
    least one, after a reply that says they are too many."""

    def __init__(self, most: int):
        self.most = most
        self.now = float(most)
        self._busy = 0
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def one(self, room: Callable[[], bool]) -> AsyncIterator[None]:
        """Waits for a turn, and until there is room for what is asked."""
        async with self._freed:
            await self._freed.wait_for(lambda: self._busy < int(self.now) and room())
            self._busy += 1
        try:
            yield
        finally:
            async with self._freed:
                self._busy -= 1
                self._freed.notify_all()

    def heed(self, status: int) -> None:
        """What the server said of the load."""
        if status in _OVERLOADED:
            self.now = max(1.0, self.now / 2)
        elif status < 400:
            self.now = min(float(self.most), self.now + 1 / self.now)


@contextmanager
def _failures(endpoint: Endpoint) -> Iterator[None]:
    """What the client raises, in our own terms; it has tried again by then where that may help."""
    import openai

    try:
        yield
    except openai.APITimeoutError as error:
        raise TimedOutError(f"no reply within {endpoint.timeout:g} s") from error
    except openai.APIConnectionError as error:
        if type(error.__cause__).__name__ not in _UNREACHABLE:
            raise EngineError("the connection broke") from error
        what = f"{endpoint.url} cannot be reached: {error.__cause__ or error}"
        raise EngineUnavailableError(what, hint="start the server, then `solon resume`") from error
    except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
        what = f"{endpoint.url} refuses the key"
        raise EngineUnavailableError(what, hint=f"set {KEY} to a key that may use {endpoint.model}") from error
    except openai.NotFoundError as error:
        what = f"{endpoint.url} has no model {endpoint.model}, or no {endpoint.api}"
        raise EngineUnavailableError(what, hint="ask it what it has: GET /v1/models") from error
    except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
        raise _bad_request(error.message) from error
    except openai.APIStatusError as error:
        raise EngineError(f"the server failed with {error.status_code}") from error
    except (openai.APIResponseValidationError, json.JSONDecodeError) as error:
        raise GarbledError("a reply that is no JSON of the protocol") from error


def _bad_request(said: str) -> EngineError:
    words = said.lower()
    if "filter" in words or "policy" in words:
        return RefusedError("the provider's filter stopped the request")
    if any(word in words for word in ("context", "too long", "maximum", "exceed")):
        return TooLongError("more than the server's model reads")
    return UnsupportedError(f"the server does not take the request: {said[:_SAID]}")


def option_scores(options: Sequence[str], top: Mapping[str, float]) -> OptionScores:
    """Log-probabilities of options that differ from their first character on, from those of the likeliest next tokens.
    A token counts for each option that begins with it, or that it begins with.

    Example: `A)` and `B)` after `A` -0.1, ` A` -3, `The` -4: the first has -0.1; the second at most -4.
    """
    found = []
    for option in options:
        own = [value for token, value in top.items() if token and _agree(option, token)]
        found.append(math.log(math.fsum(map(math.exp, own))) if own else None)
    bound = min([*top.values(), *(value for value in found if value is not None)])
    return OptionScores(
        logprobs=tuple(min(bound if value is None else value, 0.0) for value in found),
        bounded=frozenset(place for place, value in enumerate(found) if value is None),
    )


def _shared(options: Sequence[str]) -> str:
    """What all of them begin with."""
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*options, strict=False))
    return "".join(letters[0] for letters in same)


def _agree(option: str, token: str) -> bool:
    return option.startswith(token) or token.startswith(option)


def _messages(context: Context) -> list[dict[str, str]]:
    """As chat servers take them: requests come from the user, and all else that is not the system's from the
    assistant."""
    roles = {"system": "system", "human": "user", "critique request": "user", "revision request": "user"}
    return [{"role": roles.get(speaker, "assistant"), "content": text} for speaker, text in context.messages]
