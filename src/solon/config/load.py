"""From a run file, flags and `--set` to a `RunConfig`, with every fault found and placed.

Relative paths in a run file are taken from that file's folder, others from the working directory, and are made absolute
where they exist, so that `solon resume` works from anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from solon.config.layers import Layers
from solon.config.paths import FEW_SHOTS_FILE, WORLD
from solon.config.run import RunConfig
from solon.config.validate import validate
from solon.errors import Where

_SOURCE = "prompts.source"


def load_run_config(
    source: str | Path | None = None,
    overrides: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
    *,
    tell: Callable[[str], None] | None = None,
    sections: Collection[str] = RunConfig.model_fields,
) -> RunConfig:
    """The resolved run file.

    Args:
        source: a .toml file or the name of a shipped one; None: the world run, or the defaults alone if
            `prompts.source` is given in another way.
        overrides: `--set` arguments such as `rl.steps=10`, the last of them wins. The value is TOML, else plain text.
        flags: dotted key to value, from options such as `--model`; None values are left out. They win over the file,
            and `--set` wins over them.
        tell: is told where a value has two readings, and which holds.
        sections: what the caller reads of it; contradictions with other sections are none.

    Raises:
        ConfigError: with every fault that was found: unknown keys, wrong types, values out of bounds, contradictions.
    """
    layers = Layers()
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    if source is None and _SOURCE not in {*given, *(text.split("=")[0].strip() for text in overrides)}:
        source = WORLD
    if source is not None:
        layers.read(source)
    for key, value in given.items():
        layers.put(key, str(value) if isinstance(value, Path) else value, Where("command line"), Path.cwd())
    for text in overrides:
        layers.override(text)
    config = _with_few_shots(validate(layers, sections))
    if tell:
        for note in layers.notes.values():
            tell(note)
    return config


def _with_few_shots(config: RunConfig) -> RunConfig:
    """A constitution given as a folder brings its few-shot examples, unless `few_shots` names others or, "", none."""
    section = config.constitution
    folder = Path(section.path)
    if section.few_shots is not None or not folder.is_absolute() or not (folder / FEW_SHOTS_FILE).is_file():
        return config
    return config.model_copy(update={"constitution": section.model_copy(update={"few_shots": str(folder)})})
