"""`solon models`: import a model, and check whether it can go through a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from typer import Argument, Option

from solon.artifacts.atomic import folder_atomic
from solon.cli.faults import UNUSABLE, say_error, say_note
from solon.cli.model_report import report_lines
from solon.cli.run_options import JsonInstead, refuse_option
from solon.errors import Fault, UserError
from solon.models.where import sketched_model
from solon.text import printable

if TYPE_CHECKING:
    from solon.lm.describe import ModelReport

app = typer.Typer(no_args_is_help=True, help="Import models, and check whether they can go through a run.")


@app.command(epilog="Exit codes: 0 all models are usable; 2 one is not, with one line per fault.")
def check(
    models: Annotated[
        list[str],
        Argument(
            metavar="MODEL...",
            help="Model folders, OWNER/NAME on the Hugging Face Hub, or embedded, embedded-medium, embedded-small.",
        ),
    ],
    trust_remote_code: Annotated[
        bool, Option("--trust-remote-code", help="Let a model folder run its own Python code.")
    ] = False,
    as_json: JsonInstead = False,
) -> None:
    """Say what a run would do with each model, or why it cannot use it.

    The first line says what the model is. Below it: how it is written to, what ends its answers, the memory that each
    kind of stage takes with the defaults of a run file, and whatever is unusual about it.

    This loads no weights, and fetches none. Every run checks its models in the same way before it starts.

    \b
      [bold]solon models check my-model[/bold]
      [bold]solon models check HuggingFaceTB/SmolLM2-135M-Instruct[/bold]
      [bold]solon models check models/* --json[/bold]

    \b
    Any causal language model in safetensors is usable. Bidirectional models
    (BERT), encoder-decoder models (T5) and quantized weights are not.

    \b
    The decoder changes the speed, never the result:
      lean         small Llamas and Qwens, computed by Solon itself
      packed       most other models, by their own layers; what was read
                   once is kept, and read by all who share it
      cached       models that remember in other ways, in fixed batches
      recomputing  models with an unusual cache: slow, because each token
                   reads the whole text again
    A prefix that many prompts share is read once (prefixes shared): always
    or never.
    """
    looked = [(name, *_look(name, trust_remote_code, None if as_json else say_note)) for name in models]
    if as_json:
        typer.echo(json.dumps([_as_json(*one) for one in looked], indent=2))
    else:
        for name, report, faults in looked:
            if report is not None:
                typer.echo(printable("\n".join(report_lines(name, report))))
            for fault in faults:
                say_error(str(fault))
    raise typer.Exit(UNUSABLE if any(faults for _, _, faults in looked) else 0)


@app.command("import")
def import_(
    file: Annotated[Path, Argument(metavar="FILE.gguf", help="A GGUF file, as llama.cpp and Ollama use.")],
    out: Annotated[
        Path,
        Option("--output", "-o", metavar="DIR", callback=refuse_option, help="A new folder. It must not exist yet."),
    ],
    dtype: Annotated[
        Literal["float32", "bfloat16"],
        Option(help="Type of the written weights. bfloat16 halves the folder and rounds once more."),
    ] = "float32",
) -> None:
    """Make a model folder from a GGUF file, so that a run can use and train it.

    Weights are dequantized; tokenizer and chat template come along. What cannot be had back is listed. Needs the
    extra `gguf`.

    \b
      [bold]solon models import SmolLM2.gguf -o smollm2[/bold]
      [bold]solon run --model smollm2 ...[/bold]
    """
    if out.exists():
        raise UserError(f"{out} exists", hint="choose a new folder, or remove it")
    import torch

    from solon.models.gguf import import_gguf

    with folder_atomic(out) as draft:
        facts = import_gguf(file, draft, dtype=getattr(torch, dtype))
    license = f", license {printable(facts.license)}" if facts.license else ""
    typer.echo(f"{printable(str(out))}: {facts.architecture}, {facts.parameters:,} parameters{license}")
    for one in facts.lost:
        typer.echo(f"lost: {one}")


def _look(
    name: str, trust_remote_code: bool, tell: Callable[[str], None] | None
) -> tuple[ModelReport | None, tuple[Fault, ...]]:
    from solon.lm.describe import describe_model

    try:
        with sketched_model(name, code=trust_remote_code, tell=tell) as folder:
            return describe_model(folder, trust_remote_code=trust_remote_code), ()
    except UserError as error:
        return None, error.faults


def _as_json(name: str, report: ModelReport | None, faults: tuple[Fault, ...]) -> dict[str, object]:
    described: dict[str, object] = {"path": name, "usable": not faults, "faults": [str(fault) for fault in faults]}
    if report is not None:
        described |= report.summary.model_dump(exclude={"path"}) | report.model_dump(mode="json", exclude={"summary"})
    return described
