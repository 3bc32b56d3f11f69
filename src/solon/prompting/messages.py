"""Dialogues as a chat server takes them: messages, around which the server writes the template of its model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.prompting.context import Context, Speaker, dialogue
from solon.prompting.dialogue import MESSAGE_ROLES
from solon.prompting.guard import Guard
from solon.records import Role, Turn

ROLES: dict[Speaker, Role] = {
    "system": "system",
    "human": "human",
    "assistant": "assistant",
    "critique request": "human",
    "critique": "assistant",
    "revision request": "human",
    "revision": "assistant",
}
"""As whom a chat model knows a speaker: critique and revision requests are further turns of the human, critiques and
revisions the assistant's replies."""
_MARKS = (
    *("<|im_start|>", "<|im_end|>", "<|im_sep|>", "<|endoftext|>", "<|end|>"),
    *("<|user|>", "<|assistant|>", "<|system|>"),
    *("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>"),
    *("<|header_start|>", "<|header_end|>", "<|eot|>", "<|eom|>", "<|start_of_role|>", "<|end_of_role|>"),
    *("<|im_user|>", "<|im_assistant|>", "<|im_system|>", "<|im_middle|>", "<|observation|>"),
    *("<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>"),
    *("<\uff5cbegin\u2581of\u2581sentence\uff5c>", "<\uff5cend\u2581of\u2581sentence\uff5c>"),
    *("<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>", "<|start|>", "<|message|>", "<|channel|>", "<|return|>"),
    *("<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "<s>", "</s>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"),
    *("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "<think>", "</think>"),
)
"""Marks of widespread templates. Which one a server uses it does not say, and most read marks in a text as marks."""
_UNMARKED = Guard(_MARKS)


@dataclass(frozen=True, kw_only=True)
class Messages:
    """The format of a model that is asked by messages. `render` shows what it is asked as plain text."""

    system: str = ""
    """The system turn of dialogues that have none."""
    guard: Guard = _UNMARKED
    begin: str = ""
    end: str = ""
    stop: tuple[str, ...] = ()
    """The server knows what ends a reply."""

    def notes(self, *, system: bool) -> tuple[str, ...]:
        """None: how the server writes messages it does not say."""
        return ()

    def prompt(self, turns: Sequence[Turn]) -> str:
        return self.render(dialogue(turns))

    def answer(self, text: str, *, finished: bool = True) -> str:
        return self.guard(text)

    def messages(self, context: Context) -> list[dict[str, str]]:
        """With a system message if there is any; the prefill is not among them."""
        system = context.system or self.system
        said = [(ROLES[speaker], text) for speaker, text in context.spoken]
        told: list[tuple[Role, str]] = [("system", system)] if system else []
        return [{"role": MESSAGE_ROLES[role], "content": self.guard(text)} for role, text in (*told, *said)]

    def render(self, context: Context) -> str:
        said = [f"{message['role']}: {message['content']}" for message in self.messages(context)]
        return "\n\n".join([*said, f"assistant: {context.prefill}".rstrip()])
