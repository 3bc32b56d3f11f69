"""Writing a constitution and its few-shot examples into a folder that `load_constitution` reads."""

from __future__ import annotations

import json
from pathlib import Path

from solon.artifacts.atomic import write_atomic
from solon.constitution.few_shots import FILE_NAME, FewShots
from solon.constitution.principles import Constitution
from solon.errors import ConstitutionError, Fault, Where
from solon.toml_text import toml_lines

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
    """A list as the text of a TOML file that loads as the same list."""
    head = {"name": constitution.name, "title": constitution.title, "description": constitution.description}
    principles = [{**one.model_dump(exclude_defaults=True), "source": one.source} for one in constitution.principles]
    blocks = [toml_lines(head.items()), *("[[principle]]\n" + toml_lines(fields.items()) for fields in principles)]
    return "\n".join(blocks)
