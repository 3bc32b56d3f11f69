"""`solon chat`: talk to the models of a run, or to any other, in the terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from solon.cli import interrupts
from solon.cli.faults import say_error, say_note
from solon.cli.opening import brought, one_model, open_one
from solon.cli.run_options import Settings
from solon.cli.talk import Chat
from solon.config.engines import server_and_model
from solon.errors import EngineError, RunError, UserError
from solon.pipeline.talking import TITLES, Talker, examples, models_of, talkers
from solon.progress import json_line
from solon.text import listed, printable

PROMPT = "> "
WORLD = """These models are made of Solon's embedded model. It speaks of one small made-up world (people, things,
places, everyday tasks, eight kinds of harm) and knows nothing else. Ask it in the words of that world, for example:"""


def chat(
    run: Annotated[Path | None, Argument(metavar="RUN", help="A run folder.")] = None,
    model: Annotated[
        str | None,
        Option(
            metavar="MODEL",
            help="Of a run: base, sl, rl or dpo; by default the last that it has made. Without a run: a model folder, "
            "OWNER/NAME on the Hub, `embedded`, or URL#MODEL on a server.",
        ),
    ] = None,
    side_by_side: Annotated[bool, Option("--side-by-side", help="All models of the run answer, one by one.")] = False,
    seed: Annotated[int, Option(min=0, metavar="N", help="The same seed gives the same answers.")] = 0,
    temperature: Annotated[
        float | None, Option(min=0.0, metavar="T", help="0: the likeliest words. Default: as the run evaluates models.")
    ] = None,
    system: Annotated[str, Option(metavar="TEXT", help="A system turn before the dialogue.")] = "",
    engine: Annotated[
        str | None, Option(metavar="NAME", help="Without a run: what runs the model. Default: as MODEL looks.")
    ] = None,
    settings: Settings = None,
    as_json: Annotated[bool, Option("--json", help="Print one JSON object per answer, for programs.")] = False,
) -> None:
    """Talk to the models of a run, or to any other.

    \b
      [bold]solon chat runs/demo[/bold]                   the last model that it has made
      [bold]solon chat runs/demo --side-by-side[/bold]    base, SL-CAI and RL-CAI
      [bold]solon chat --model ./my-model --temperature 0[/bold]
      [bold]solon chat --model http://localhost:8000/v1#my-model[/bold]
      [bold]solon chat runs/demo --json < asked.txt[/bold]    a question a line

    Answers appear while they are written. Each model remembers what you and it have said, until you type /reset.

    \b
      /model sl          go on with another model of the run
      /save chat.jsonl   keep the answers, as `solon run --helpful` reads them
      /quit or Ctrl-D    leave; Ctrl-C stops an answer and not the chat
    """
    if run and (engine or settings):
        raise UserError("--engine and --set are for a model without a run", hint="leave them out")
    if side_by_side and not run:
        raise UserError("--side-by-side needs a run", hint="solon chat RUN --side-by-side")
    talk = _of_run(run, model, side_by_side) if run else _of_model(model, engine, settings or (), seed)
    talk.seed, talk.temperature, talk.system = seed, temperature, system
    with interrupts.answered():
        _Terminal(talk, as_json=as_json).talk()


def _of_run(run: Path, model: str | None, side_by_side: bool) -> Chat:
    there = models_of(run)
    if model is not None and model not in TITLES:
        raise UserError(f"a run has no model {model!r}", hint=f"this one has {listed(there)}")
    if model is not None and model not in there:
        raise RunError(f"the run has not made {model} so far", hint=f"go on with `solon resume {run}`")
    if side_by_side and model is not None:
        raise UserError("--model and --side-by-side contradict each other", hint="leave one of them out")
    return Chat(talkers=talkers(run, there), speaking=there if side_by_side else [model or there[-1]])


def _of_model(model: str | None, engine: str | None, settings: Sequence[str], seed: int) -> Chat:
    if model is None:
        raise UserError("chat needs a run or a model", hint="solon chat RUN, or solon chat --model MODEL")
    if model.startswith(("http://", "https://")) and not server_and_model(model):
        raise UserError(f"--model {model} names no model of the server", hint=f"e.g. {model}#my-model")
    engine = engine or ("endpoint" if server_and_model(model) else "local")
    actor = open_one(brought(one_model(model, engine, settings, seed=seed), say_note))
    talker = Talker(name="model", actor=actor, sampling=actor.actors.settled.sampling.answers)
    return Chat(talkers={"model": talker}, speaking=["model"])


class _Terminal:
    """Lines in, answers out. What a model says never commands the terminal."""

    def __init__(self, chat: Chat, *, as_json: bool) -> None:
        self.chat, self.as_json = chat, as_json
        self.typed = sys.stdin.isatty() and not as_json

    def talk(self) -> None:
        if self.typed:
            self._greet()
        for line in self._lines():
            try:
                if not self._does(line):
                    return
            except KeyboardInterrupt:
                if not self.typed:
                    raise
                typer.echo(" [stopped; it counts as not said]")
            except UserError as error:
                for fault in error.faults:
                    say_error(str(fault))
            except EngineError as error:
                say_error(f"{error} (/reset begins anew)")

    def _greet(self) -> None:
        asked = examples(self.chat.talkers[self.chat.speaking[0]].actor.actors.config)
        if asked:
            typer.echo("\n".join([WORLD, *(f"  {one}" for one in asked)]))
        names = ", ".join(TITLES.get(one, one) for one in self.chat.speaking)
        typer.echo(f"{names} at seed {self.chat.seed}. /help says what you can do; Ctrl-D leaves.")

    def _lines(self) -> Iterator[str]:
        if not self.typed:
            if isinstance(sys.stdin, io.TextIOWrapper):
                sys.stdin.reconfigure(errors="replace")
            yield from sys.stdin
            return
        with suppress(ImportError):
            import readline  # noqa: F401 - arrow keys and earlier lines
        while True:
            try:
                yield input(PROMPT)
            except KeyboardInterrupt:
                typer.echo("\nCtrl-D or /quit leaves.")
            except EOFError:
                typer.echo()
                return

    def _does(self, line: str) -> bool:
        """What a line asks for; False: to leave."""
        text = line.strip()
        if text == "/quit":
            return False
        if text.startswith("/") and not text.startswith("//"):
            said = self.chat.command(text)
            typer.echo(printable(said), err=not self.typed)
        elif text:
            for name in self.chat.speaking:
                self._answer(name, text[1:] if text.startswith("//") else text)
        return True

    def _answer(self, name: str, text: str) -> None:
        if self.as_json:
            row, found = self.chat.ask(name, text, lambda piece: None)
            typer.echo(json_line("answer", row.model_dump(mode="json") | {"tokens": found.tokens}))
            return
        if len(self.chat.speaking) > 1:
            typer.secho(f"{TITLES.get(name, name)}: ", bold=True, nl=False)
        row, _ = self.chat.ask(name, text, _say)
        typer.echo()
        if not row.finished:
            say_note("(the token limit cut it off)")


def _say(piece: str) -> None:
    typer.echo(printable(piece), nl=False)
    sys.stdout.flush()
