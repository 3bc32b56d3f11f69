"""`solon models`: import a model, and check whether it can go through a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from typer import Argument, Option

from solon.artifacts.atomic import folder_atomic
from solon.cli.faults import UNUSABLE, say_error
from solon.cli.run_options import JsonInstead, refuse_option
from solon.embedded.shipped import model_folder
from solon.errors import Fault, UserError
from solon.text import printable

if TYPE_CHECKING:
    from solon.lm.check import ModelSummary

app = typer.Typer(no_args_is_help=True, help="Import models, and check whether they can go through a run.")


@app.command(epilog="Exit codes: 0 all models are usable; 2 one is not, with one line per fault.")
def check(
    folders: Annotated[list[str], Argument(metavar="FOLDER...", help="Hugging Face model folders, or `embedded`.")],
    trust_remote_code: Annotated[
        bool, Option("--trust-remote-code", help="Let a model folder run its own Python code.")
    ] = False,
    as_json: JsonInstead = False,
) -> None:
    """Describe each model in one line, or say why a run cannot use it.

    This loads no weights. Every run checks its models in the same way before it starts.

    \b
      [bold]solon models check my-model[/bold]
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
    looked = [(name, *_look(name, trust_remote_code)) for name in folders]
    if as_json:
        typer.echo(json.dumps([_as_json(*one) for one in looked], indent=2))
    else:
        for name, summary, faults in looked:
            if summary is not None:
                typer.echo(_line(name, summary))
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


def _look(name: str, trust_remote_code: bool) -> tuple[ModelSummary | None, tuple[Fault, ...]]:
    from solon.lm.check import check_model

    try:
        folder = model_folder(name)
        return check_model(folder, trust_remote_code=trust_remote_code), ()
    except UserError as error:
        return None, error.faults


def _line(name: str, summary: ModelSummary) -> str:
    facts = (
        summary.architecture,
        f"{summary.parameters:,} parameters",
        f"context {summary.context:,}",
        f"vocabulary {summary.vocabulary:,}",
        {"chat-template": "chat template", "human-assistant": "Human/Assistant"}[summary.dialogue],
        summary.decoder,
        f"prefixes shared {_reach(summary.shared)}",
    )
    return f"{name}: {', '.join(facts)}"


def _reach(shared: int | None) -> str:
    return "always" if shared is None else "never"


def _as_json(name: str, summary: ModelSummary | None, faults: tuple[Fault, ...]) -> dict[str, object]:
    described = {} if summary is None else summary.model_dump(exclude={"path"})
    return {"path": name, "usable": not faults, "faults": [str(fault) for fault in faults], **described}
