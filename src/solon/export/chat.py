"""Chat templates for engines that write dialogues by them alone, also of models that have none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from solon.prompting.dialogue import ASSISTANT, HUMAN

TEMPLATE = "chat_template.jinja"
_CONFIG = "tokenizer_config.json"
_HUMAN_ASSISTANT = (
    "{% for message in messages %}"
    f"{{% if message['role'] == 'user' %}}{{{{ {HUMAN + ' '!r} }}}}{{{{ message['content'] }}}}"
    f"{{% elif message['role'] == 'assistant' %}}{{{{ {ASSISTANT + ' '!r} }}}}{{{{ message['content'] | trim }}}}"
    "{% if loop.last %}{{ eos_token }}{% endif %}"
    "{% else %}{{ message['content'] }}{% endif %}"
    "{% endfor %}"
    f"{{% if add_generation_prompt %}}{{{{ {ASSISTANT!r} }}}}{{% endif %}}"
)


def chat_template(folder: Path, *, plain: bool) -> str:
    """How dialogues are written for the model in a folder: its tokenizer's chat template, or where it has none, or
    `plain` asks for it, the Human/Assistant format as one. What an answer begins with, a space, the model writes
    itself, so answers lose the one that they come with."""
    if not plain and (own := _own(folder)):
        return own
    return ("{{ bos_token }}" if _begins(folder) else "") + _HUMAN_ASSISTANT


def _own(folder: Path) -> str | None:
    if (folder / TEMPLATE).is_file():
        return (folder / TEMPLATE).read_text(encoding="utf-8")
    found = _settings(folder).get("chat_template")
    return found if isinstance(found, str) else None


def _begins(folder: Path) -> bool:
    """Whether the tokenizer puts its beginning mark before a text."""
    mark = _settings(folder).get("bos_token")
    text = mark.get("content") if isinstance(mark, dict) else mark
    if not text or not (folder / "tokenizer.json").is_file():
        return False
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return bool(tokenizer.encode("a").ids[:1] == [tokenizer.token_to_id(text)])


def _settings(folder: Path) -> dict[str, Any]:
    path = folder / _CONFIG
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found if isinstance(found, dict) else {}
