"""The data card of an export: its columns and counts, where the rows come from, and how to load them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import jinja2

from solon.artifacts.manifest import Counts
from solon.export.files import Format
from solon.export.forms import Form
from solon.export.sets import ExportRow, PreferenceRow, PromptRow, SftRow
from solon.text import printable


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """One set of an export."""

    name: str
    """Its file without the ending, and the method of `RunSets` that yields it."""
    row: type[ExportRow]
    trainers: tuple[str, ...]
    """Of TRL, that take it."""


SETS = (
    TrainingSet(name="sft", row=SftRow, trainers=("SFTTrainer",)),
    TrainingSet(name="preference", row=PreferenceRow, trainers=("DPOTrainer", "RewardTrainer")),
    TrainingSet(name="prompts", row=PromptRow, trainers=("GRPOTrainer", "RLOOTrainer")),
)


def card_text(accounts: Mapping[str, Counts], fingerprints: Mapping[str, str], *, form: Form, format: Format) -> str:
    """The card as Markdown; its head tells `datasets` which file is which set.

    Args:
        accounts: of each set, by its name.
        fingerprints: of each stage that the rows come from, by its name.
    """
    return _template().render(sets=SETS, accounts=accounts, fingerprints=fingerprints, form=form, format=format)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("solon.export", "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown
    )
    environment.filters["cell"] = _cell
    return environment.get_template("card.md.j2")


def _cell(text: str) -> str:
    """Text of unknown origin in one cell of a table, without effect on anything around it."""
    plain = printable(" ".join(text.split()))
    return "".join(f"\\{char}" if char in "\\`*_[]<>|" else char for char in plain)
