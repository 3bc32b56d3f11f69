"""What a server replies, as far as Solon reads it. Servers are not trusted: what is no such reply is none."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from solon.lm.endpoint.spending import Tokens

Step = tuple[str, tuple[tuple[str, float], ...]]
"""A token that was written, and the likeliest ones in its place with their log-probabilities."""


class _Lenient(BaseModel):
    """Keys that Solon does not read are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Token(_Lenient):
    token: str
    logprob: FiniteFloat
    top_logprobs: tuple[_Token, ...] = ()


class _Logprobs(_Lenient):
    """In either of two forms, whichever the path: some servers give the form of chat to completions."""

    content: tuple[_Token, ...] | None = None
    tokens: tuple[str, ...] | None = None
    top_logprobs: tuple[dict[str, FiniteFloat] | None, ...] | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        if self.content:
            found = ((one.token, tuple((top.token, top.logprob) for top in one.top_logprobs)) for one in self.content)
        else:
            both = zip(self.tokens or (), self.top_logprobs or (), strict=False)
            found = ((token, tuple((top or {}).items())) for token, top in both)
        return tuple(step for step in found if step[1])


class _Message(_Lenient):
    content: str | None = None
    refusal: str | None = None


class _Choice(_Lenient):
    finish_reason: str | None = None
    text: str | None = None
    message: _Message | None = None
    logprobs: _Logprobs | None = None

    @property
    def said(self) -> str | None:
        """The reply's text; None if it has none. A model that declines in a field of its own has replied."""
        return self.text if self.message is None else self.message.content or self.message.refusal

    @property
    def steps(self) -> tuple[Step, ...]:
        """As far as the server says what was likely."""
        return self.logprobs.steps if self.logprobs else ()


class _Usage(_Lenient):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(0, ge=0)


class Reply(_Lenient):
    """A reply with one choice."""

    choices: tuple[_Choice, ...] = Field(min_length=1)
    counted: _Usage | None = Field(None, alias="usage")

    @property
    def choice(self) -> _Choice:
        return self.choices[0]

    @property
    def usage(self) -> Tokens | None:
        """What it cost; None if the server does not say."""
        if self.counted is None:
            return None
        return Tokens(read=self.counted.prompt_tokens, written=self.counted.completion_tokens)


def read(content: bytes) -> Reply | str:
    """The reply, or what is wrong with it: `no JSON`, `no choices` or `no text`."""
    try:
        reply = Reply.model_validate_json(content)
    except ValidationError as error:
        return "no JSON" if error.errors()[0]["type"] == "json_invalid" else "no choices"
    if reply.choice.said is None and reply.choice.finish_reason != "length":  # a model may have thought in hiding
        return "no text"
    return reply
