"""Which files of a model folder can change what the model reads or writes, and their hashes. Loads neither weights nor
torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from solon.artifacts.atomic import sha256_file

_SUFFIXES = {".safetensors", ".json", ".jinja", ".model", ".tiktoken", ".bpe"}
"""Weights, settings, chat templates, vocabularies."""
_NAMES = {"vocab.txt", "merges.txt"}
"""Vocabularies that end like a note to the reader."""
_TEMPLATES = "additional_chat_templates/*.jinja"


def fingerprints(folder: Path, *, code: bool = False) -> dict[str, str]:
    """sha256 of weights, settings, tokenizer and chat templates by name, and of Python files where `code` may run.

    Cards and licenses are not among them. All other files with the suffix of settings are, since a tokenizer may read
    what only its own class knows. Example: `{"config.json": "1f0c...", "model.safetensors": "9be3..."}`.
    """
    files = sorted(path.relative_to(folder).as_posix() for path in _files(folder, code))
    return {name: sha256_file(folder / name) for name in files}


def _files(folder: Path, code: bool) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_file() and not path.name.startswith(".") and (path.suffix in _SUFFIXES or path.name in _NAMES):
            yield path
    yield from folder.glob(_TEMPLATES)
    if code:
        yield from folder.rglob("*.py")
