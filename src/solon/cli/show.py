"""`solon show`: training examples as the model will read them, with the tokens that the loss counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from rich.console import Console, Group, RenderableType
from rich.text import Text
from typer import Argument, Option

from solon.artifacts.finished import FinishedStage
from solon.cli.faults import say_note
from solon.config.load import load_run_config
from solon.config.models import Dialogue, ModelsSection
from solon.data.examples import prompts_of, read_helpful
from solon.errors import PromptError, UserError, Where
from solon.export.sets import SL, finetuning_prompts
from solon.models.where import bring_model
from solon.records import Demonstration, Prompt
from solon.text import printable

SL_MODEL = Path("models/sl/model")
OPEN, CLOSE = "{+", "+}"
"""Around every stretch that the loss counts; readable without color and in ASCII."""
COUNTED, CONTEXT = "bold black on bright_cyan", "dim"


class Shown(NamedTuple):
    """An example to print."""

    prompt: Prompt
    answer: str
    source: str
    """Said in its title."""
    finished: bool = True


def show(
    examples: Annotated[
        Path,
        Argument(
            metavar="PATH", help="A run folder, or a file of prompts with a response, or with chosen and rejected."
        ),
    ],
    model: Annotated[
        str | None,
        Option(metavar="MODEL", help="The model, as in a run file, whose tokenizer to use. Default: the run's own."),
    ] = None,
    first: Annotated[int, Option(min=1, help="The first example to print, counting from 1.")] = 1,
    number: Annotated[int, Option("--number", "-n", min=1, help="How many examples to print.")] = 1,
    dialogue: Annotated[
        Dialogue | None, Option(help="The dialogue format, as in a run file. Default: the run's own, or auto.")
    ] = None,
) -> None:
    """Print training examples with their loss masks.

    Each token is marked: the loss counts it, or it is only context. For a run: the examples of supervised finetuning.

    \b
      [bold]solon show runs/demo --first 5[/bold]
      [bold]solon show helpful.jsonl --model ./my-model[/bold]
    """
    from solon.models.load import load_tokenizer
    from solon.pipeline.actors import format_of
    from solon.train.batches import answer_example

    run = (examples / "run.json").is_file()
    if model is None and not run:
        raise UserError("a file needs a tokenizer", hint="pass --model MODEL")
    shown = examples_of_run(examples) if run else examples_of_file(examples)
    if first > len(shown):
        raise PromptError(f"there are only {len(shown)} examples", where=Where(examples))
    tokenizer = load_tokenizer(bring_model(model, tell=say_note) if model else examples / SL_MODEL)
    models = load_run_config(examples / "run.toml").models if run else ModelsSection()
    if dialogue is not None:
        models = models.model_copy(update={"base": models.role("base").model_copy(update={"dialogue": dialogue})})
    format = format_of(tokenizer, models, "base")
    console = Console()
    for place, one in enumerate(shown[first - 1 : first - 1 + number], start=first):
        prompt, answer = format.prompt(one.prompt.turns), format.answer(one.answer, finished=one.finished)
        example = answer_example(tokenizer, one.prompt.id, prompt, answer)
        texts = token_texts(tokenizer.decode, example.input_ids)
        console.print(mask_view(texts, example.loss_mask, title=f"example {place}, {one.source}"))
        console.print()


def examples_of_file(path: Path) -> list[Shown]:
    """Answers to be imitated, then the chosen answers of comparisons."""
    examples, _ = read_helpful(path)
    asked = {prompt.id: prompt for prompt in prompts_of(examples)}
    ordered = sorted(examples, key=lambda example: len(example.answers))
    return [Shown(asked[one.prompt.id], one.answers[0], asked[one.prompt.id].source) for one in ordered if one.answers]


def examples_of_run(run: Path) -> list[Shown]:
    """What SL-CAI was finetuned on.

    Raises:
        RunError: if the run has not come so far.
    """
    rows = FinishedStage.open(run, SL).rows("demonstrations", Demonstration)
    asked = finetuning_prompts(run)
    return [Shown(asked[row.prompt_id], row.answer, f"{row.source}: {row.prompt_id}", row.finished) for row in rows]


def token_texts(decode: Callable[[list[int]], Any], ids: Sequence[int]) -> list[str]:
    """What each token adds to the text. A character of several tokens is given to the last of them."""
    texts = []
    before = ""
    for end in range(1, len(ids) + 1):
        text = str(decode(list(ids[:end])))
        whole = not text.endswith("\ufffd") or end == len(ids)
        texts.append(text[len(before) :] if whole else "")
        before = text if whole else before
    return texts


def mask_view(tokens: Sequence[str], loss_mask: Sequence[bool], *, title: str = "") -> RenderableType:
    """The example as something `rich` can print, under a legend.

    tokens: the decoded text of each token, (T,); untrusted, so it is neither read as markup nor sent to the terminal
    raw: control and format characters are shown as escapes, line ends as `\\n` and a line end.
    loss_mask: (T,), True where the loss counts the token.
    Raises `ValueError` if the lengths differ.
    """
    if len(tokens) != len(loss_mask):
        raise ValueError(f"{len(tokens)} tokens but {len(loss_mask)} mask entries")
    body = Text()
    for counted, run in groupby(zip(tokens, loss_mask, strict=True), key=lambda item: bool(item[1])):
        text = "".join(printable(token).replace("\n", "\\n\n") for token, _ in run)
        if counted:
            body.append(OPEN + text + CLOSE, style=COUNTED)
        else:
            body.append(text, style=CONTEXT)
    legend = Text()
    if title:
        legend.append(printable(" ".join(title.split("\n"))) + "\n", style="bold")
    legend.append(f"{OPEN}counted{CLOSE}", style=COUNTED)
    legend.append(f" {sum(map(bool, loss_mask))} of {len(tokens)} tokens count in the loss; ")
    legend.append("the rest", style=CONTEXT)
    legend.append(" is context.")
    return Group(legend, Text(), body)
