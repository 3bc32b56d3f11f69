"""Options and output that evaluations share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Option

from solon.cli.faults import say_note
from solon.cli.opening import brought, one_model, open_one
from solon.errors import EngineUnavailableError, UserError
from solon.evals.statistics import Mean, Rate
from solon.records import Record
from solon.text import printable

if TYPE_CHECKING:
    from solon.evals.published.answering import Answers
    from solon.lm.protocols import LanguageModel

Data = Annotated[Path, Option(metavar="FILE", help="The published file. It may be compressed (.gz, .xz, .zst).")]
Model = Annotated[str, Option(metavar="MODEL", help="The model, as a run file names it.")]
AskedModel = Annotated[
    str | None, Option("--model", metavar="MODEL", help="Ask this model, as a run file names it, for the answers.")
]
Temperature = Annotated[
    float, Option(min=0.0, metavar="T", help="Of the model's answers. 0: the likeliest; 1: drawn as it finds them.")
]
Limit = Annotated[int | None, Option(min=1, metavar="N", help="At most N rows, from all over the file.")]
Seed = Annotated[int, Option(min=0, metavar="N", help="The same seed gives the same result.")]


@dataclass(frozen=True, kw_only=True)
class EvaluatedModel:
    """A model to evaluate."""

    model: LanguageModel
    chat: bool
    """Whether it reads messages, and not plain text."""
    answering: Callable[[Sequence[str], str], Answers]
    """Its answers to prompts, of a task that has this name."""


def opened(
    model: str, engine: str, settings: Sequence[str] | None, *, seed: int, temperature: float = 0.0
) -> EvaluatedModel:
    """Opens a model. Raises `UserError` if it cannot be had."""
    config = brought(one_model(model, engine, settings or (), seed=seed), say_note)
    actor = open_one(config)
    from solon.evals.published.answering import answer
    from solon.lm.protocols import Sampling
    from solon.pipeline.settle import KEYS
    from solon.prompting.dialogue import HumanAssistant

    how = actor.actors.settled.sampling.answers.model_dump(include=set(KEYS)) | {"temperature": temperature}

    def answering(prompts: Sequence[str], task: str) -> Answers:
        answers = answer(prompts, actor.model, Sampling(**how), task=task, seed=seed)
        if all(text is None for text in answers.texts):
            raise EngineUnavailableError(f"the model answered none of {len(prompts)} prompts ({answers.lost})")
        return answers

    return EvaluatedModel(model=actor.model, chat=not isinstance(actor.format, HumanAssistant), answering=answering)


def one_of(context: typer.Context, given: object, model: str | None, option: str, of_model: Sequence[str]) -> None:
    """Raises `UserError` unless either answers or a model was given, or as `only_with_model` does."""
    if (given is None) == (model is None):
        raise UserError(f"give either {option} FILE, or --model MODEL", hint="answers to score, or a model to ask")
    only_with_model(context, model, of_model, f"{option} is scored as it is")


def only_with_model(context: typer.Context, model: str | None, parameters: Sequence[str], hint: str) -> None:
    """Raises `UserError` if no model is asked and one of these parameters of the command, which would do nothing, was
    given."""
    if model is None and (idle := were_given(context, parameters)):
        raise UserError(f"only with --model: {', '.join(idle)}", hint=hint)


def were_given(context: typer.Context, parameters: Sequence[str]) -> list[str]:
    """Those of these parameters that the command line has, as options."""
    options = {one.name: one.opts[0] for one in context.command.params}
    sources = {name: context.get_parameter_source(name) for name in parameters}
    return [options[name] for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]


def say_lost(answers: Answers) -> None:
    """What became of answers that did not come, or were cut off."""
    for reason, count in answers.lost.items():
        say_note(f"left out, {reason}: {count}")
    if answers.unfinished:
        say_note(f"cut off by the token limit: {answers.unfinished} (more: --set sampling.max_new_tokens=N)")


def print_json(result: Record) -> None:
    """The whole result as one JSON object."""
    typer.echo(result.model_dump_json(indent=2))


def percent(value: float | None) -> str:
    """One decimal; a dash where there is none."""
    return "-" if value is None else f"{100 * value:.1f}%"


def between(low: float | None, high: float | None, shown: Callable[[float | None], str] = percent) -> str:
    """An interval, an open end included; a dash where there is none."""
    if low is high is None:
        return "-"
    return f"{shown(low) if low is not None else '...'} to {shown(high) if high is not None else '...'}"


def share(rate: Rate | Mean | None) -> tuple[str, str]:
    """A share and its interval, as two cells."""
    if rate is None:
        return "-", "-"
    value = rate.rate if isinstance(rate, Rate) else rate.mean
    return percent(value), between(rate.low, rate.high)


def say_lines(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(printable(line))
