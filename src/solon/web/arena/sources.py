"""Where the answers of an arena come from: runs in a folder, and files with a row for each answer."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from solon.artifacts.finished import FinishedStage
from solon.config.evaluations import EVALUATED
from solon.data.faults import Fields, Malformed, Unusable
from solon.data.forms import prompt_of
from solon.data.rows import has_known_ending
from solon.data.turns import dialogue_id
from solon.evals.published.rows import field, read_each, text
from solon.records import Answer, Prompt, Turn
from solon.seeds import generator
from solon.web.runs import Runs, shown_name

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
        return dialogue_id(self.turns)


def offered(runs: Runs) -> dict[str, Callable[[], list[Given]]]:
    """What a folder of runs holds, and how each is read: `RUN:MODEL` for every model whose answers are stored, and
    files. Reading raises `UserError`."""
    stored = [(f"{run.name}:{model}", run, model) for run in runs.all() for model in _answered(run.path)]
    files = [one for one in runs.inside() if one.is_file() and has_known_ending(one)]
    return {
        **{name: partial(_stored, run.path, model, name) for name, run, model in stored},
        **{shown_name(one): partial(read_file, one) for one in files},
    }


def _answered(run: Path) -> Iterator[str]:
    return (model for model in EVALUATED if FinishedStage.exists(run, f"answers-{model}"))


def _stored(run: Path, model: str, name: str) -> list[Given]:
    prompts = {one.id: one for one in FinishedStage.open(run, "prompts").rows("evals", Prompt)}
    rows = FinishedStage.open(run, f"answers-{model}").rows("rows", Answer)
    told = (one for one in rows if one.text.strip() and one.prompt_id in prompts)
    return [Given(prompts[one.prompt_id].turns, name, one.text) for one in told]


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
