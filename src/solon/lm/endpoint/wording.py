"""What a server is sent for a context: text, or messages with the reply begun as far as the server lets one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from solon.errors import UnsupportedError
from solon.lm.endpoint.spending import Tokens
from solon.lm.protocols import Sampling
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.context import Context
from solon.prompting.messages import Messages

_STOPS = 4
"""Strings that OpenAI lets end a text; the others are looked for when it has come."""
_PER_MESSAGE, _PER_PROMPT = 16, 64
"""Tokens that a template may write around a message, and around all of them (a system turn of its own, the date)."""
CHAT, COMPLETIONS = "/chat/completions", "/completions"
CONTINUE = {"continue_final_message": True, "add_generation_prompt": False}
"""How vLLM and others are told to go on with the last message; llama.cpp does so by itself."""


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a server can be asked, beyond what every server takes."""

    chat: bool
    """By messages; else by text."""
    continues: bool
    """Whether it goes on with a reply that is begun. Else its beginning stands at the end of the question."""
    likeliest: int
    """Tokens with log-probabilities that it gives for each place; 0: none."""
    filters: bool = True
    """Whether it takes top_k and min_p."""
    limit: str = "max_tokens"
    """What it calls the most tokens to write."""

    def told(self, *, samples: int) -> str:
        """For the manifest. `samples`: of a verdict without log-probabilities."""
        path = "chat" if self.chat else "completions"
        begun = "begun" if self.continues else "asked for with their beginning at the end of the question"
        verdicts = f"the {self.likeliest} likeliest tokens" if self.likeliest else f"{samples} sampled replies"
        filters = "" if self.filters else "; top_k and min_p are the server's"
        return f"{path}; replies are {begun}; verdicts from {verdicts}{filters}"

    def drawn(self, sampling: Sampling) -> dict[str, Any]:
        """The keys that say how a reply is drawn, those that are off included: servers have defaults of their own.
        Raises `UnsupportedError` of what the server does not take."""
        keys: dict[str, Any] = {"temperature": sampling.temperature, "top_p": sampling.top_p}
        if self.filters:
            keys |= {"top_k": sampling.top_k or -1, "min_p": sampling.min_p}
        elif sampling.top_k or sampling.min_p:
            raise UnsupportedError("the server takes neither top_k nor min_p")
        return keys | {self.limit: sampling.max_new_tokens}

    def logprobs(self) -> dict[str, Any]:
        """The keys that ask for the likeliest tokens."""
        if not self.likeliest:
            return {}
        return {"logprobs": True, "top_logprobs": self.likeliest} if self.chat else {"logprobs": self.likeliest}


@dataclass(frozen=True, kw_only=True)
class Wording:
    """A request's wording."""

    path: str
    body: dict[str, Any]
    prompt: str
    """What the model reads, as text."""
    begun: str = ""
    """What a reply may repeat before it goes on."""

    def most(self, new: int) -> Tokens:
        """What it can cost with so many new tokens: no text has more tokens than bytes."""
        around = _PER_MESSAGE * len(self.body.get("messages", ())) + _PER_PROMPT
        return Tokens(read=len(self.prompt.encode()) + around, written=new)


def worded(
    context: Context, format: DialogueFormat, manner: Manner, *, begun: str = "", options: Sequence[str] = ()
) -> Wording:
    """`begun` goes on with the context's prefill. A server that does not go on with a reply is told to name one of the
    `options` and to say no more."""
    if not isinstance(format, Messages):
        prompt = format.render(context) + begun
        body = {"prompt": prompt, "stop": list(format.stop[:_STOPS])}
        return Wording(path=COMPLETIONS, body=body, prompt=prompt, begun=context.prefill)
    messages, begun = format.messages(context), context.prefill + begun
    if begun and manner.continues:
        return _chat([*messages, {"role": "assistant", "content": begun}], CONTINUE, begun=begun)
    if options:
        begun = f"{begun}\n\nReply with {' or '.join(sorted(option.strip() for option in options))} alone."
    if begun:
        *messages, last = messages or [{"role": "user", "content": ""}]
        messages.append({"role": last["role"], "content": f"{last['content']}\n\n{begun}".strip()})
    return _chat(messages, {}, begun=context.prefill)


def _chat(messages: list[dict[str, str]], more: dict[str, bool], *, begun: str) -> Wording:
    prompt = "\n\n".join(f"{message['role']}: {message['content']}" for message in messages)
    return Wording(path=CHAT, body={"messages": messages, **more}, prompt=prompt, begun=begun)
