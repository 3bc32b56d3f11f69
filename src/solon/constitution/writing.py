"""Writing a constitution and its few-shot examples into a folder that `load_constitution` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from solon.artifacts.atomic import write_atomic
from solon.constitution.few_shots import FILE_NAME, FewShots
from solon.constitution.principles import Constitution
from solon.errors import ConstitutionError, Fault, Where

CONSTITUTION_FILE = "constitution.toml"


def write_folder(
    constitution: Constitution, few_shots: FewShots, out: Path, *, force: bool = False
) -> tuple[Path, Path]:
    """Writes `constitution.toml` (a list) and `few_shots.json` into `out`, each whole or not at all.

    Raises ConstitutionError if one of them exists and `force` is off, or if the folder cannot be written.
    """
    texts = {
        out / CONSTITUTION_FILE: list_toml(constitution),
        out / FILE_NAME: json.dumps(few_shots.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n",
    }
    taken = [path for path in texts if path.exists()]
    if taken and not force:
        hint = "choose another folder, or add --force to overwrite it"
        raise ConstitutionError([Fault("exists already", Where(path), hint) for path in taken])
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            write_atomic(path, text.encode("utf-8"))
    except OSError as error:
        hint = "choose a folder that you may write to, on a disk with room"
        raise ConstitutionError(f"cannot be written: {error.strerror or error}", where=Where(out), hint=hint) from None
    return out / CONSTITUTION_FILE, out / FILE_NAME


def list_toml(constitution: Constitution) -> str:
    """A list as the text of a TOML file that loads as the same list; the standard library only reads TOML."""
    head = {"name": constitution.name, "title": constitution.title, "description": constitution.description}
    blocks = [_table(head)]
    blocks += ["[[principle]]\n" + _table(one.model_dump(exclude_defaults=True)) for one in constitution.principles]
    return "\n".join(blocks)


def _table(fields: Mapping[str, object]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in fields.items())


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, str):
        # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
