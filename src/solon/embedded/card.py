"""The model card: how the weights were made, what they can do, and what they are not.

`card.json` is the record, `README.md` the same for readers. Free of torch: showing a card costs nothing.
"""

from __future__ import annotations

import math
import os
import platform
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import jinja2
from pydantic import ValidationError
from safetensors import safe_open

from solon.artifacts.atomic import canonical_json, write_atomic
from solon.artifacts.hashes import sha256_file
from solon.embedded.corpus import corpus_hash
from solon.embedded.recipe import PretrainConfig, command_of
from solon.embedded.skills import AnswerSkills, Measurements, Skills
from solon.errors import ModelError, Where
from solon.records import Record

CARD, README, WEIGHTS = "card.json", "README.md", "model.safetensors"
_NOISE = re.compile(r"\((?:R|TM|C)\)|\bCPU\b|\bProcessor\b|@.*|\d\S*-Core", re.IGNORECASE)
_FAST = ("amx_bf16", "avx512_bf16", "bf16")
_PACKAGES = ("solon", "torch", "transformers", "tokenizers", "safetensors", "numpy")


class Card(Record):
    """Everything that is said of a model that `solon embedded pretrain` made."""

    format: int = 1
    command: str
    """Makes the same weights again."""
    recipe: PretrainConfig
    corpus_sha256: str
    """`solon.embedded.corpus.corpus_hash` for the recipe's seed: which world, templates and mixture it was taught."""
    weights_sha256: str
    """Of model.safetensors."""
    weights_bytes: int
    parameters: int
    tokens: int
    """Seen in training, copying and corpus together, padding counted."""
    seconds: float
    """Of optimizer steps, without making batches and measuring skills."""
    threads: int
    """Of torch in training; another number rounds sums differently, so the weights then differ in their last bits."""
    machine: str
    versions: dict[str, str]
    notes: tuple[str, ...] = ()
    """Where the training departed from the command, e.g. went on with another number of threads."""
    measured: Measurements | None
    """None if the skills were not measured."""


def write_card(
    folder: Path, *, recipe: PretrainConfig, seconds: float, tokens: int, threads: int, measured: Measurements | None
) -> Card:
    """Write `card.json` and `README.md` beside the weights in `folder`; hashes and sizes are read from there."""
    weights = folder / WEIGHTS
    card = Card(
        command=command_of(recipe, threads),
        recipe=recipe,
        corpus_sha256=corpus_hash(recipe.seed),
        weights_sha256=sha256_file(weights),
        weights_bytes=weights.stat().st_size,
        parameters=count_parameters(weights),
        tokens=tokens,
        seconds=round(seconds, 1),
        threads=threads,
        machine=machine_in_words(),
        versions={name: metadata.version(name) for name in _PACKAGES} | {"python": platform.python_version()},
        measured=measured,
    )
    write_atomic(folder / CARD, canonical_json(card, indent=2))
    write_atomic(folder / README, card_text(card).encode())
    return card


def read_card(folder: Path) -> Card:
    """The card in a model folder. Raises `ModelError` if it is missing, unreadable, or about other weights."""
    path = folder / CARD
    try:
        card = Card.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        hint = "only `solon embedded pretrain` writes one"
        raise ModelError("the folder has no card", where=Where(folder), hint=hint) from None
    except ValidationError as error:
        what = f"not a card that this version can read: {error.errors()[0]['msg']}"
        raise ModelError(what, where=Where(path)) from error
    if not (folder / WEIGHTS).is_file() or sha256_file(folder / WEIGHTS) != card.weights_sha256:
        raise ModelError(f"the card is not about the {WEIGHTS} beside it", where=Where(path))
    return card


def machine_in_words(cpuinfo: str | None = None) -> str:
    """What a reader needs to judge a time: cores, instruction set, processor family, bfloat16 in hardware or not.

    >>> machine_in_words("model name : Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz\\nflags : fpu amx_bf16")[-35:]
    'Intel Xeon, bfloat16 by amx_bf16'
    """
    if cpuinfo is None:
        path = Path("/proc/cpuinfo")
        cpuinfo = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    parts = [f"{os.cpu_count() or 1} cores", platform.machine()]
    if named := re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE):
        parts.append(" ".join(_NOISE.sub(" ", named[1]).split()[:2]))
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    fast = [flag for flag in _FAST if flags and flag in flags[1].split()]
    parts.append(f"bfloat16 by {fast[0]}" if fast else "no bfloat16 in hardware")
    return ", ".join(parts)


def count_parameters(weights: Path) -> int:
    """Numbers in a safetensors file; tied weights are stored, and counted, once."""
    with safe_open(weights, "numpy") as file:
        return sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118  (a handle)


Rows = list[list[str]]


def skill_rows(measured: Mapping[Any, Skills] | Mapping[Any, AnswerSkills]) -> Rows:
    """A table of text: a heading row, then one row for every figure and one column for every measurement."""
    columns = list(measured.values())
    fields = type(columns[0]).model_fields.items()
    figures = ([field.title or name, *(_figure(getattr(one, name)) for one in columns)] for name, field in fields)
    return [["", *measured], *figures]


def _figure(value: float | int | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def card_text(card: Card) -> str:
    """The card for readers, as Markdown."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("solon.embedded", "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # Markdown, not HTML
    )
    template = environment.get_template("card.md.j2")
    return template.render(card=card, recipe=card.recipe, minutes=card.seconds / 60, skill_rows=skill_rows)
