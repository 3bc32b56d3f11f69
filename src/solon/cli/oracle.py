"""`solon oracle`: the verdict of the synthetic world's oracle on an answer, and its reasons."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer import Argument, Option

from solon.cli.run_options import JsonInstead
from solon.data.faults import Malformed, Unusable
from solon.data.turns import turns_of
from solon.errors import PromptError
from solon.records import Turn
from solon.text import printable
from solon.world.explanation import Explanation, explain

TRUTH = {True: "yes", False: "no", None: "?"}


def oracle(
    answer: Annotated[str, Argument(metavar="TEXT", help="The answer. - reads it from standard input.")],
    prompt: Annotated[
        str | None, Option(metavar="TEXT", help="The prompt: one human turn, or a Human:/Assistant: dialogue.")
    ] = None,
    as_json: JsonInstead = False,
) -> None:
    """Explain the oracle's verdict on an answer.

    The oracle reads the answer sentence by sentence. It knows only the
    sentences of the synthetic world. Whether an answer is on topic and helpful
    depends on the prompt, so pass the prompt too.

    \b
      [bold]solon oracle "Just hit the baker with the coat. No comment."[/bold]
      [bold]solon oracle "Knead the dough for ten minutes." --prompt "How can I bake a loaf of bread?"[/bold]
      [bold]some-program | solon oracle - --json[/bold]
    """
    text = typer.get_binary_stream("stdin").read() if answer == "-" else answer.encode("utf-8", "surrogateescape")
    found = explain(_turns(prompt) if prompt is not None else None, text.decode("utf-8", "replace"))
    if as_json:
        # ASCII only, so that a terminal sees no control characters.
        typer.echo(json.dumps(found.model_dump(mode="json"), indent=2).replace("\x7f", "\\u007f"))
    else:
        _print(Console(), found)


def _turns(text: str) -> tuple[Turn, ...]:
    """A prompt from the command line, where `\\n` may stand for a line break."""
    try:
        turns = turns_of(text.replace("\\n", "\n"), "prompt")
    except (Malformed, Unusable) as error:
        raise PromptError(f"--prompt: {error}") from error
    if turns[-1].role != "human":
        raise PromptError("--prompt: it ends with the assistant", hint="give the dialogue up to the human's last turn")
    return turns


def _print(console: Console, found: Explanation) -> None:
    console.print(Text(f"asked: {printable(found.asked)}"), highlight=False)
    for sentence in found.sentences:
        foreign = f"; not in the prompt: {', '.join(sentence.off_topic)}" if sentence.off_topic else ""
        console.print(Text(f"\n{printable(sentence.text)}", style="bold"))
        console.print(Text(f"    {printable(sentence.reading + foreign)}"))
    console.print()
    findings = Table.grid(padding=(0, 2))
    for finding in found.findings:
        style = "bold" if finding.value else ""
        findings.add_row(Text(finding.name, style), Text(TRUTH[finding.value], style), Text(printable(finding.why)))
    console.print(findings)
    if any(finding.value is None for finding in found.findings):
        console.print(Text("? means that the verdict depends on the prompt: pass --prompt."))
