"""`solon show`: training examples as the model will read them, with the tokens that the loss counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from solon.errors import PromptError, Where


def show(
    examples: Annotated[
        Path, typer.Argument(metavar="FILE", help="Rows of a prompt with a response, or with chosen and rejected.")
    ],
    model: Annotated[Path, typer.Option(help="The model folder whose tokenizer is used.")],
    first: Annotated[int, typer.Option(min=1, help="The first example to print, counted from 1.")] = 1,
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many to print.")] = 1,
    dialogue: Annotated[
        Literal["auto", "human-assistant", "chat-template"], typer.Option(help="The dialogue format, as in a run file.")
    ] = "auto",
) -> None:
    """Print training examples with their loss masks.

    Token by token: what the loss counts, and what is only context.

    \b
      [bold]solon show helpful.jsonl --model ./my-model[/bold]
    """
    from rich.console import Console

    from solon.models.load import load_tokenizer
    from solon.prompting.chat_template import dialogue_format
    from solon.prompting.mask_view import mask_view
    from solon.prompts.helpful import read_helpful
    from solon.train.batches import answer_example

    file = read_helpful(examples)
    asked = {prompt.id: prompt for prompt in file.prompts}
    answers = [(row.prompt_id, row.answer) for row in file.demonstrations]
    answers += [(row.prompt_id, row.a) for row in file.comparisons]
    if first > len(answers):
        raise PromptError(f"there are only {len(answers)} examples", where=Where(examples))
    tokenizer = load_tokenizer(model)
    format = dialogue_format(tokenizer, dialogue)
    console = Console()
    for place, (prompt_id, answer) in enumerate(answers[first - 1 : first - 1 + number], start=first):
        prompt = asked[prompt_id]
        example = answer_example(tokenizer, prompt_id, format.prompt(prompt.turns), format.answer(answer))
        texts = token_texts(tokenizer.decode, example.input_ids)
        console.print(mask_view(texts, example.loss_mask, title=f"example {place}, {prompt.source}"))
        console.print()


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
