"""The folder that an engine takes a run from: its data, its models, run files and a card that explains them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jinja2

from solon.artifacts.atomic import folder_atomic
from solon.artifacts.manifest import Counts, Tally
from solon.artifacts.run_folder import run_config
from solon.config.training import OptimizerSection
from solon.errors import UserError, Where
from solon.export.engine import Engine
from solon.export.files import Format, require_format, write_rows
from solon.export.models import POLICY, REWARD_MODEL, RunModels
from solon.export.rewarding import Rewarding
from solon.export.sets import Form, RunSets
from solon.text import printable

AT_ONCE = 8
"""Rows that a device reads at once, at most. Assumption; users know their devices."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """What a folder holds."""

    accounts: Mapping[str, Counts]
    """Of each set, by its name."""
    models: tuple[str, ...] = ()
    run_files: tuple[str, ...] = ()


def export(
    engine: Engine,
    run: Path,
    out: Path,
    *,
    form: Form = "conversational",
    format: Format = "jsonl",
    models: bool = True,
) -> Export:
    """Write a run's sets and, where there are any and `models` asks for them, its models and run files for an engine
    into the new folder `out`.

    Raises:
        RunError: if there is no run, it has not come far enough, or its files are not what its stages made.
        UserError: if `out` exists or cannot be written, or Parquet's library is missing.
    """
    require_format(format)
    sets = RunSets(run, form, without=engine.without)
    trained = RunModels(run) if models else None
    with _new_folder(out) as folder:
        accounts = {name: _write_set(engine, sets, name, folder / f"{name}.{format}", form) for name in engine.sets}
        names, rewards = trained.names if trained else (), engine.rewards(run_config(run))
        done = Export(accounts=accounts, models=names, run_files=_possible(engine, names, rewards))
        facts = {"engine": engine, "done": done, "form": form, "format": format, "fingerprints": sets.fingerprints}
        facts["rewards"] = rewards
        if trained:
            trained.bring(folder)
            facts |= {"base": trained.base, "config": run_config(run), "context": _context(folder / POLICY)}
        for file in ("README.md", *done.run_files):
            source = "card.md" if file == "README.md" else f"{engine.name}/{file}"
            text = _templates().get_template(f"{source}.j2").render(facts)
            (folder / file).write_text(text, encoding="utf-8", newline="\n")
            if file.endswith(".sh"):
                (folder / file).chmod(0o755)
    return done


def _write_set(engine: Engine, sets: RunSets, name: str, path: Path, form: Form) -> Counts:
    row, tally = engine.sets[name], Tally()
    rows = (row.of(one, number) for number, one in enumerate(getattr(sets, name)(tally)))
    write_rows(path, rows, row, form)
    return tally.counts()


def _possible(engine: Engine, models: tuple[str, ...], rewards: Rewarding) -> tuple[str, ...]:
    """Those whose models are there. RL must let answers earn something, and a file of functions needs some."""
    idle = [] if rewards.taken else [name for name in engine.run_files if name.startswith("rl.")]
    idle += [] if rewards.of_texts else ["rewards.py"]
    there = {*models, *([REWARD_MODEL] if rewards.needs_no_model else [])}
    return tuple(name for name, needed in engine.run_files.items() if set(needed) <= there and name not in idle)


def _context(policy: Path) -> int | None:
    """Tokens that the model reads at once, if it says so."""
    path = policy / "config.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found.get("max_position_embeddings")


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """`folder_atomic`, with a `UserError` if the place cannot be used."""
    elsewhere = "name another place with -o"
    if out.exists():
        raise UserError("exists already, and nothing is overwritten", where=Where(out), hint=elsewhere)
    try:
        with folder_atomic(out) as folder:
            yield folder
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror or error}", where=Where(out), hint=elsewhere) from error


def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("solon.export", "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # Markdown, YAML and shell
    )
    environment.filters |= {"cell": _cell, "at_once": _at_once, "quoted": shlex.quote, "falls": _falls}
    environment.globals |= {"POLICY": POLICY, "REWARD_MODEL": REWARD_MODEL}
    return environment


def _at_once(batch_size: int) -> int:
    """The most rows up to `AT_ONCE` that divide a batch."""
    return max(rows for rows in range(1, min(batch_size, AT_ONCE) + 1) if batch_size % rows == 0)


def _falls(section: OptimizerSection) -> bool:
    """Whether the learning rate does."""
    return section.schedule != "constant" and section.final_share < 1.0


def _cell(text: str) -> str:
    """Text of unknown origin in one cell of a table, without effect on anything around it."""
    plain = printable(" ".join(text.split()))
    return "".join(f"\\{char}" if char in "\\`*_[]<>|" else char for char in plain)
