"""Where the answers of an arena come from: runs in a folder, and files with a row for each answer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from solon.artifacts.finished import RUN, FinishedStage
from solon.config.evaluations import EVALUATED
from solon.data.faults import Fields, Malformed, Unusable
from solon.data.forms import prompt_of
from solon.data.rows import has_known_ending
from solon.data.turns import digest
from solon.errors import UserError
from solon.evals.published.rows import field, read_each, text
from solon.records import Answer, Prompt, Turn
from solon.seeds import generator

COLUMNS = ("prompt", "turns", "messages", "system", "model", "answer", "response", "completion", "spoiled")
LONGEST_NAME, LONGEST_ANSWER = 80, 20_000
FEWEST_WORDS = 8
"""Of an answer that can be spoiled by the order of its words."""


class Given(NamedTuple):
    """An answer before it is in an arena."""

    turns: tuple[Turn, ...]
    model: str
    text: str
    spoiled: bool = False

    @property
    def key(self) -> str:
        """The same for the same prompt, whatever file it is in."""
        return digest([[turn.role, turn.text] for turn in self.turns])


def offered(folder: Path | None) -> list[str]:
    """What a folder of runs holds: `RUN:MODEL` for every model whose answers are stored, and files."""
    if folder is None or not folder.is_dir():
        return []
    inside = sorted(folder.iterdir(), key=lambda one: one.name)
    runs = (f"{one.name}:{model}" for one in inside if (one / RUN).is_file() for model in _answered(one))
    return [*runs, *(one.name for one in inside if one.is_file() and has_known_ending(one))]


def _answered(run: Path) -> Iterator[str]:
    for model in EVALUATED:
        if (run / f"answers-{model}" / "manifest.json").is_file():
            yield model


def read_offered(folder: Path, name: str) -> list[Given]:
    """One of `offered`. Raises `UserError`; the caller has looked that the name is one of these."""
    run, _, model = name.rpartition(":")
    if not run or (folder / name).is_file():
        return read_file(folder / name)
    prompts = {one.id: one for one in FinishedStage.open(folder / run, "prompts").rows("evals", Prompt)}
    stored = FinishedStage.open(folder / run, f"answers-{model}").rows("rows", Answer)
    return [
        Given(prompts[one.prompt_id].turns, name, one.text)
        for one in stored
        if one.text.strip() and one.prompt_id in prompts
    ]


def read_pasted(pasted: str) -> list[Given]:
    """JSON lines. Raises `UserError` with every fault and its line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pasted.jsonl")
        path.write_text(pasted, encoding="utf-8")
        return read_file(path)


def read_file(path: Path) -> list[Given]:
    """Rows with a prompt, `model` and `answer`. Raises `UserError` with every fault and its line."""
    return read_each(path, COLUMNS, _given)


def _given(fields: Fields) -> Given:
    try:
        turns = prompt_of(fields)
    except Unusable as error:
        raise Malformed(f"the prompt cannot be used: {error}", reason="unusable prompt") from error
    model, answer = " ".join(text(fields, "model").split()), text(fields, "answer", "response", "completion").strip()
    if not 0 < len(model) <= LONGEST_NAME:
        raise Malformed(f'"model" must be a name of at most {LONGEST_NAME} characters', reason="no name of a model")
    if not 0 < len(answer) <= LONGEST_ANSWER:
        raise Malformed(f"the answer must have 1 to {LONGEST_ANSWER:,} characters", reason="empty or too long answer")
    spoiled = field(fields, "spoiled") if "spoiled" in fields else False
    if spoiled not in (None, True, False):
        raise Malformed('"spoiled" must be true or false')
    return Given(turns, model, answer, bool(spoiled))


def told(error: UserError) -> str:
    """The faults, without the folder in which this machine keeps the file."""
    here = (
        replace(fault, where=fault.where and replace(fault.where, path=Path(str(fault.where.path)).name))
        for fault in error.faults
    )
    return "\n".join(map(str, here))


def spoil(answer: str, seed: int, *names: str | int) -> str | None:
    """The words of an answer in an order drawn by lot: nobody who reads takes it for the better one. None: it has too
    few words for that, or they stay as they were."""
    words = answer.split()
    if len(set(words)) < FEWEST_WORDS:
        return None
    order = generator(seed, "spoiled", *names).permutation(len(words))
    made = " ".join(words[at] for at in order)
    return None if made == " ".join(words) else made


def spoiled(answers: Iterable[tuple[int, str, str]], seed: int, most: int) -> list[tuple[int, str, str]]:
    """So many checks at most, drawn by lot: prompt, model and spoiled text; one for each prompt."""
    every = list(answers)
    found: dict[int, tuple[int, str, str]] = {}
    for at in generator(seed, "checks").permutation(len(every)):
        prompt, model, sound = every[int(at)]
        if len(found) < most and prompt not in found and (bad := spoil(sound, seed, prompt, model)):
            found[prompt] = (prompt, model, bad)
    return list(found.values())
