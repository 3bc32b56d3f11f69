"""`solon constitution`: check, read, import and export constitutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer import Argument, Option

from solon.cli.run_options import JsonInstead
from solon.collective.phrases import many
from solon.constitution.exchange import CRITERION, LISTS, Format, exported, read_principles
from solon.constitution.files import write_texts
from solon.constitution.importer import import_published, write_folder
from solon.constitution.lint import lint as findings_of
from solon.constitution.lists import list_toml
from solon.constitution.load import load_constitution, read_constitution
from solon.constitution.principles import Constitution, Principle
from solon.errors import ConstitutionError, Where
from solon.text import printable

DOCUMENTS = (".md", ".markdown", ".html", ".htm")
app = typer.Typer(no_args_is_help=True, help="Check, read, import and export constitutions.")


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
    source: Annotated[
        Path,
        Argument(
            metavar="SOURCE",
            help="A document (.md, .html), principles of others (.json), a list with one principle a line (.txt), "
            "or the folder of the published JSON files.",
        ),
    ],
    out: Annotated[
        Path,
        Option("-o", "--output", help="The file: .md for a document, .toml for principles. Of a folder: a folder."),
    ],
    force: Annotated[bool, Option("--force", help="Overwrite existing files.")] = False,
) -> None:
    """Import a constitution: from a document in prose, other people's principles, or the files published with CAI.

    Of a document, articles, their order of precedence and hard constraints are proposed, each with the line it comes
    from and the reason. Read and correct the file, then write `confirmed = true` in its title: no run uses it before.
    Principles of others are JSON in the schema of Constitutional-Evals, or a list of texts.

    \b
      [bold]solon constitution import charter.html -o charter.md[/bold]
      [bold]solon constitution import kindness.json -o kindness.toml[/bold]
      [bold]solon constitution import principles.txt -o principles.toml[/bold]
      [bold]solon constitution import ConstitutionalHarmlessnessPaper/prompts -o cai-2022[/bold]
      [bold]solon run --constitution cai-2022[/bold]
    """
    suffix = source.suffix.lower()
    if suffix in DOCUMENTS and not source.is_dir():
        _import_document(source, out, force)
    elif suffix in LISTS and not source.is_dir():
        _import_list(source, out, force)
    elif source.is_file():
        hint = "a document is .md or .html, principles of others are .json, or .txt with one a line"
        raise ConstitutionError(f"`{suffix or source.name}` cannot be imported", where=Where(source), hint=hint)
    else:
        _import_published(source, out, force)


@app.command(name="export")
def export_(
    format: Annotated[Format, Argument(metavar="FORMAT", help="constitutional-evals, json or lines.")],
    constitution: Annotated[
        str, Argument(metavar="NAME", help="A shipped constitution's name, a .toml or .md file, or a folder.")
    ],
    out: Annotated[Path, Option("-o", "--output", help="The file.")],
    force: Annotated[bool, Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Export a constitution's comparison questions for other programs. What a format cannot carry is named.

    \b
      constitutional-evals   its schema 1.1: criteria and guidelines
      json                   a list of texts
      lines                  one principle a line

    \b
      [bold]solon constitution export constitutional-evals mine.toml -o mine.json[/bold]
      [bold]solon constitution export lines harmlessness -o harmlessness.txt[/bold]
    """
    source = read_constitution(constitution)
    done = exported(source.constitution, format)
    write_texts({out: done.text}, force=force)
    typer.echo(f"{printable(str(out))}: {many(done.principles, 'principle')}")
    _say_left(
        f"what {format} cannot carry", {**done.left, "lines with HTML, whose tags no model reads": len(source.html)}
    )


def _import_document(source: Path, out: Path, force: bool) -> None:
    _must_be(out, ".md", "a document")
    from solon.constitution.proposing.proposal import propose  # the parser of Markdown takes long to import
    from solon.constitution.proposing.writing import NO_CONSTRAINTS, NO_ORDER, proposal_text

    proposal = propose(source)
    _write(source, out, proposal_text(proposal), force)
    constraints = sum(len(one.constraints) for one in proposal.constraints)
    typer.echo(
        f"{printable(str(out))}: {many(len(proposal.articles), 'article')}, {len(proposal.order.ids)} of "
        f"{many(len(proposal.drafts), 'heading')} in an order of precedence, {many(constraints, 'hard constraint')}"
    )
    missing = {NO_ORDER: not proposal.order.ids, NO_CONSTRAINTS: not constraints}
    for what in (what for what, holds in missing.items() if holds):
        typer.echo(what)
    left = {"parts of the document": len(proposal.left), "sentences on priority": len(proposal.order.unused)}
    _say_left("not placed, at the end of the file", {**left, **proposal.manuscript.left_out})
    typer.echo(
        f"confirmed = false: read it, correct it, confirm it; then `solon constitution lint {printable(str(out))}`"
    )


def _import_list(source: Path, out: Path, force: bool) -> None:
    _must_be(out, ".toml", "a list of principles")
    imported = read_principles(source)
    _write(source, out, list_toml(imported.constitution), force)
    typer.echo(f"{printable(str(out))}: {many(len(imported.constitution.principles), 'comparison question')}")
    if imported.guidelines:
        typer.echo(
            f"a judge draws the {many(imported.guidelines, 'guideline')} too, each alone; "
            f"`--set 'constitution.comparison=[\"{CRITERION}\"]'` leaves them out"
        )
    _say_left("not imported", imported.left)


def _import_published(folder: Path, out: Path, force: bool) -> None:
    imported = import_published(folder)
    written = write_folder(imported.constitution, imported.few_shots, out, force=force)
    principles, shots = imported.constitution.principles, imported.few_shots
    pairs = sum(one.has_critique for one in principles)
    typer.echo(f"{written[0]}: {many(pairs, 'critique pair')}, {many(len(principles) - pairs, 'comparison question')}")
    kinds = (("critique", shots.critique), ("comparison", shots.comparison), ("reasoned comparison", shots.reasoning))
    typer.echo(f"{written[1]}: " + ", ".join(many(len(examples), f"{kind} example") for kind, examples in kinds))
    for name in imported.absent:
        typer.echo(f"not imported, because the folder does not have it: {name}")


def _must_be(out: Path, suffix: str, what: str) -> None:
    if out.suffix.lower() != suffix:
        raise ConstitutionError(f"{what} is written as {suffix}", where=Where(out), hint=f"say -o {out.stem}{suffix}")


def _write(source: Path, out: Path, text: str, force: bool) -> None:
    """Raises ConstitutionError where a file would be lost."""
    if out.exists() and out.samefile(source):
        raise ConstitutionError("is what is imported", where=Where(out), hint="give -o another name")
    write_texts({out: text}, force=force)


def _say_left(what: str, left: Mapping[str, int]) -> None:
    if any(left.values()):
        named = ", ".join(f"{printable(name)} ({count})" for name, count in left.items() if count)
        typer.echo(f"{what}: {named}")


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
