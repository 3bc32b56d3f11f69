"""`solon constitution`: check, read and import constitutions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer import Argument, Option

from solon.cli.run_options import JsonInstead
from solon.collective.phrases import many
from solon.constitution.importer import import_published, write_folder
from solon.constitution.lint import lint as findings_of
from solon.constitution.load import load_constitution
from solon.constitution.principles import Constitution, Principle
from solon.text import printable

app = typer.Typer(no_args_is_help=True, help="Check, read and import constitutions.")


@app.command(epilog="Exit codes: 0 usable; 1 usable with warnings, under --strict; 2 unusable.")
def lint(
    constitutions: Annotated[
        list[str], Argument(metavar="FILE...", help="Files, folders or names of shipped constitutions.")
    ],
    strict: Annotated[bool, Option("--strict", help="Exit with 1 on warnings.")] = False,
) -> None:
    """Check constitutions: report all faults at once, and what will probably disappoint.

    \b
      [bold]solon constitution lint mine.toml[/bold]
      [bold]solon constitution lint --strict charter.md lists/*.toml[/bold]
    """
    findings = [finding for name in constitutions for finding in findings_of(name)]
    for finding in findings:
        color = typer.colors.RED if finding.severity == "error" else typer.colors.YELLOW
        typer.secho(printable(" ".join(str(finding).split())), fg=color)
    errors, warnings = (sum(one.severity == severity for one in findings) for severity in ("error", "warning"))
    typer.echo(f"{many(len(constitutions), 'constitution')}: {many(errors, 'error')}, {many(warnings, 'warning')}")
    raise typer.Exit(2 if errors else 1 if warnings and strict else 0)


@app.command()
def show(
    constitution: Annotated[
        str, Argument(metavar="NAME", help="A shipped constitution's name, a .toml or .md file, or a folder.")
    ],
    stage: Annotated[
        Literal["critique", "comparison"] | None, Option(help="Print only the principles that this stage draws from.")
    ] = None,
    as_json: JsonInstead = False,
) -> None:
    """Print a constitution as the models read it, with each principle's share of the draws.

    \b
      [bold]solon constitution show harmlessness[/bold]
      [bold]solon constitution show charter --stage comparison[/bold]
      [bold]solon constitution show mine.toml --json[/bold]
    """
    loaded = load_constitution(constitution)
    if stage:
        chosen = loaded.critique_principles() if stage == "critique" else loaded.comparison_principles()
        kept = {principle.id for principle in chosen}
        ranked = tuple(name for name in loaded.precedence if name in kept)
        loaded = loaded.model_copy(update={"principles": chosen, "precedence": ranked})
    if as_json:
        typer.echo(loaded.model_dump_json(indent=2))
        return
    console = Console()
    _print_head(console, loaded)
    if stage != "comparison":
        pairs = [one for one in loaded.principles if one.has_critique]
        _print_principles(console, "Critique and revision", pairs, ("critique_request", "revision_request"))
    if stage != "critique":
        questions = [one for one in loaded.principles if one.has_comparison]
        _print_principles(console, "Comparison", questions, ("comparison_question",))


@app.command(name="import")
def import_(
    folder: Annotated[Path, Argument(metavar="DIR", help="The folder of the published JSON files.")],
    out: Annotated[Path, Option("-o", "--output", help="The folder for constitution.toml and few_shots.json.")],
    force: Annotated[bool, Option("--force", help="Overwrite existing files.")] = False,
) -> None:
    """Import the files published with Constitutional AI: principles and few-shot examples.

    \b
      [bold]solon constitution import ConstitutionalHarmlessnessPaper/prompts -o cai-2022[/bold]
      [bold]solon run --constitution cai-2022[/bold]
    """
    imported = import_published(folder)
    written = write_folder(imported.constitution, imported.few_shots, out, force=force)
    principles, shots = imported.constitution.principles, imported.few_shots
    pairs = sum(one.has_critique for one in principles)
    typer.echo(f"{written[0]}: {many(pairs, 'critique pair')}, {many(len(principles) - pairs, 'comparison question')}")
    kinds = (("critique", shots.critique), ("comparison", shots.comparison), ("reasoned comparison", shots.reasoning))
    typer.echo(f"{written[1]}: " + ", ".join(many(len(examples), f"{kind} example") for kind, examples in kinds))
    for name in imported.absent:
        typer.echo(f"not imported, because the folder does not have it: {name}")


def _print_head(console: Console, constitution: Constitution) -> None:
    console.print(Text(printable(constitution.title), style="bold"))
    if constitution.description:
        console.print(Text(printable(constitution.description)))
    console.print(Text(f"{constitution.kind}, sha256 {constitution.sha256[:16]}", style="dim"))
    for heading, texts in (
        ("Hard constraints", constitution.hard_constraints),
        ("Order of precedence", constitution.precedence),
    ):
        if texts:
            console.print(Text(f"\n{heading}", style="bold"))
            console.print(Text(printable("\n".join(f"{rank}. {text}" for rank, text in enumerate(texts, start=1)))))


def _print_principles(console: Console, title: str, principles: Sequence[Principle], columns: Sequence[str]) -> None:
    table = Table(title=f"\n{title}: {many(len(principles), 'principle')}", title_justify="left", show_lines=True)
    table.add_column("id", overflow="fold")
    table.add_column("share", justify="right", no_wrap=True)
    for column in columns:
        table.add_column(column.replace("_", " "), ratio=1, overflow="fold")
    total = sum(one.weight for one in principles)
    for one in principles:
        name = Text.assemble((printable(one.id), "bold"), (printable("".join(f"\n#{tag}" for tag in one.tags)), "dim"))
        table.add_row(name, f"{one.weight / total:.1%}", *(Text(printable(getattr(one, key))) for key in columns))
    console.print(table)
