"""A chat: what was said to whom, and what a line that somebody types does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from solon.artifacts.atomic import write_atomic
from solon.errors import InputError, UserError, Where
from solon.lm.protocols import Completion, Tell
from solon.pipeline.talking import Talker
from solon.records import Record, Turn
from solon.text import listed


class Spoken(Record):
    """One answer of a chat: a row of prompts, or of answers to imitate, to whatever reads such files."""

    prompt: tuple[Turn, ...]
    """The dialogue up to the human turn that it answers."""
    response: str
    model: str
    seed: int
    temperature: float
    finished: bool
    """False: the token limit cut it off."""


HELP = """/reset           begin anew
/model NAME      go on with another model: {models}
/save FILE       write all answers so far as JSONL
/help            this
/quit, Ctrl-D    leave
Ctrl-C           stop the answer, not the chat
//...            a message that begins with a slash"""


@dataclass(kw_only=True)
class Chat:
    """A dialogue with one model or several, each of which hears its own answers alone."""

    talkers: Mapping[str, Talker]
    """Everybody there is to talk to."""
    speaking: Sequence[str]
    """Who answers."""
    seed: int = 0
    temperature: float | None = None
    """None: as each model, or its run, says."""
    system: str = ""
    spoken: list[Spoken] = field(default_factory=list)
    """All answers so far, those before a reset too."""
    _said: dict[str, tuple[Turn, ...]] = field(default_factory=dict)
    _file: Path | None = None

    def ask(self, name: str, text: str, tell: Tell) -> tuple[Spoken, Completion]:
        """What a model answers. What fails or is stopped has not been said."""
        opening = (Turn(role="system", text=self.system),) if self.system else ()
        turns = (*self._said.get(name, opening), Turn(role="human", text=text))
        talker = self.talkers[name]
        temperature = talker.temperature if self.temperature is None else self.temperature
        found = talker.answer(turns, seed=self.seed, temperature=temperature, tell=tell)
        self._said[name] = (*turns, Turn(role="assistant", text=found.text))
        row = Spoken(
            prompt=turns,
            response=found.text,
            model=name,
            seed=self.seed,
            temperature=temperature,
            finished=not found.truncated,
        )
        self.spoken.append(row)
        return row, found

    def command(self, line: str) -> str:
        """Does what a line with a slash says; what there is to tell. Raises `UserError` where it cannot."""
        name, _, rest = line[1:].partition(" ")
        known: Mapping[str, Callable[[str], str]] = {
            "reset": self._reset,
            "model": self._model,
            "save": self._save,
            "help": lambda _: HELP.format(models=", ".join(self.talkers)),
        }
        if name not in known:
            raise UserError(f"there is no /{name}", hint="/help says what there is; // begins a message with a slash")
        return known[name](rest.strip())

    def _reset(self, _: str) -> str:
        self._said.clear()
        return "a new dialogue"

    def _model(self, name: str) -> str:
        if name not in self.talkers:
            raise UserError(f"there is no model {name!r} here", hint=f"there is {listed(self.talkers)}")
        self.speaking = [name]
        return f"{name} answers"

    def _save(self, name: str) -> str:
        if not name:
            raise UserError("/save needs a file", hint="e.g. /save chat.jsonl")
        try:
            path = Path(name).expanduser()
        except RuntimeError as error:
            raise InputError("there is no such home", where=Where(name), hint="name another file") from error
        if path.exists() and path != self._file:
            raise InputError("is there already", where=Where(path), hint="name another file")
        rows = [one for one in self.spoken if one.response]
        lines = (json.dumps(one.model_dump(mode="json"), ensure_ascii=False) + "\n" for one in rows)
        try:
            write_atomic(path, "".join(lines).encode("utf-8", "backslashreplace"))
        except (OSError, ValueError) as error:
            what = getattr(error, "strerror", None) or error
            raise InputError(f"cannot be written: {what}", where=Where(path)) from error
        self._file = path
        return f"{len(rows)} {'answer' if len(rows) == 1 else 'answers'} in {path}"
