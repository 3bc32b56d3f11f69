"""`solon init`: a starter folder for one's own model."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from solon.artifacts.atomic import write_atomic
from solon.errors import UserError
from solon.text import fill
from solon.toml_text import toml


def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")]) -> None:
    """Write a starter folder for your own model.

    It holds a run file that explains every choice, and a constitution, prompts and helpfulness data for you to replace.

    \b
      [bold]solon init mine[/bold]
    """
    for path in write_starter(folder):
        typer.echo(f"wrote {path}")
    run_file = folder / "run.toml"
    typer.echo(
        f"\nNext:\n"
        f"  1. name your model in {run_file}, or put it into {folder / 'model'}\n"
        f"  2. replace the example principles and prompts with your own ({folder / 'README.md'} says how)\n"
        f"  3. solon run {run_file}"
    )


def write_starter(folder: Path) -> list[Path]:
    """The files of `solon/starter`, with the folder's own name in them: all or none; nothing is ever overwritten."""
    name = folder.resolve().name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UserError(f"{folder} is not empty", hint="choose a new folder: nothing is overwritten")
        written = []
        with ExitStack() as undone:
            for template in sorted((Path(__file__).parents[1] / "starter").iterdir()):
                text = fill(template.read_text(encoding="utf-8"), here=str(folder), name=name, name_toml=toml(name))
                written.append(path := folder / template.name)
                write_atomic(path, text.encode())
                undone.callback(path.unlink)
            undone.pop_all()
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise UserError(f"cannot write {folder}: {error.strerror}", hint="choose another folder") from error
    return written
