"""Small files of our own, and how faults are told: what the tests of constitutions share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from solon.errors import ConstitutionError

PUBLISHED: dict[str, object] = {
    "CritiqueRevisionInstructions.json": {
        "harmful0": {
            "prompt": ["\n\nCritiqueRequest: Is anything in it unkind?\n\nCritique:"],
            "edit_request": "\n\nRevisionRequest: Make it kind.\n\nRevision:",
        },
        "harmful1": {
            "prompt": ["\n\nCritiqueRequest: Is anything in it unsafe?\n\nCritique:"],
            "edit_request": "\n\nRevisionRequest: Make it safe.\n\nRevision:",
        },
    },
    "RLMadisonInstructions.json": [
        "\nWhich one is kinder? Options:",
        "\nWhich one is safer?\nTake your time. Options:",
    ],
    "CritiqueRevisionFewShotPrompts.json": [
        "\n\nHuman: Hello\n\nAssistant: Hi\n\nHuman: Insult me\n\nAssistant: You fool\n\nCritiqueRequest: Unkind?"
        "\n\nCritique: Yes, it insults.\n\nRevisionRequest: Be kind.\n\nRevision: I would rather not.\n\nHuman:"
    ],
    "RLMadisonFewShotPrompts.json": [
        {"prompt": "\n\nHuman: Good day\n\nAssistant:", "corrects": ["Good day to you"], "incorrects": ["Go away"]}
    ],
    "RLMadisonPrecogFewShotPrompts.json": [
        {
            "prompt": "\n\nHuman: Here is a conversation (H and A):\n\nH: Hello\n\nA: Hi\n\nH: Bye\n\n{}\n"
            " (A) [[[Stay!\n\nI mean it]]]\n (B) [[[Bye]]]\n\nAssistant: Let's think step by step:"
            " Option (A) is rude.\n\n(B) is fine.\n\nHuman:\nSo the answer is: (B)"
        }
    ],
}
"""Texts of our own in the shapes of the five published files."""


def write_published(folder: Path) -> Path:
    """Writes them into a new folder."""
    folder.mkdir()
    for name, value in PUBLISHED.items():
        (folder / name).write_text(json.dumps(value, indent=1), encoding="utf-8")
    return folder


def told(call: Callable[[], object], folder: Path) -> list[str]:
    """The faults that a call raises, one line each, with paths relative to `folder`."""
    with pytest.raises(ConstitutionError) as caught:
        call()
    return [str(fault).replace(f"{folder}/", "") for fault in caught.value.faults]
