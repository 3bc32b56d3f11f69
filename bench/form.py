"""Does the preference model of a run see form?

Answers that differ in form alone differ in more than the oracle counts: a sentence that it cannot read is mostly a tip
lost. So the malformed answers of a finished world run (of base, SL-CAI and RL-CAI to the held-out prompts, and of RL's
first steps to its own) stand beside

- *others*: another answer to the same prompt with the same faults but for the form;
- *repaired*: themselves, each unknown sentence replaced by the likest that the world says. A repair that adds a
  fault or leaves the topic is left out.

Prints the share of pairs in which the well-formed answer has the higher score, and in which the base model finds it
more probable, with 95% intervals over prompts. Run: `python bench/form.py runs/demo`
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from solon.artifacts.finished import FinishedStage
from solon.config.load import load_run_config
from solon.evals.statistics import rate
from solon.lm.batcher import run, together
from solon.models.tokens import pad_id
from solon.pipeline.actors import Actors
from solon.prompting.context import dialogue
from solon.records import Answer, Prompt, Rollout
from solon.train.preference import scores, sequence_tokens
from solon.world.oracle import Judgement, judge
from solon.world.sentences import SLOTS, Sentence, Situation, answer_patterns, capitalize, generalize, read_sentence

MODELS = ("base", "sl", "rl")
FIRST_STEPS = 15
"""RL that is still near SL-CAI."""
NEAREST = 12
"""Patterns with the most words in common, of which the likest by letters is taken."""


class Pair(NamedTuple):
    prompt: Prompt
    malformed: str
    well_formed: str
    beside: str
    """`others` or `repaired`."""
    flaw: str


def answers(folder: Path) -> dict[str, dict[str, Judgement]]:
    """Prompt id -> text -> what the oracle makes of it."""
    asked = prompts(folder)
    found: dict[str, dict[str, Judgement]] = defaultdict(dict)
    texts = [
        (row.prompt_id, row.text)
        for model in MODELS
        if (stage := FinishedStage.find(folder, f"answers-{model}"))
        for row in stage.rows("rows", Answer)
    ]
    if rl := FinishedStage.find(folder, "models/rl"):
        rollouts = rl.rows("rollouts", Rollout)
        texts += [(row.prompt_id, row.text) for row in rollouts if row.step <= FIRST_STEPS]
    for name, text in texts:
        found[name].setdefault(text, judge(asked[name].turns, text))
    return found


def prompts(folder: Path) -> dict[str, Prompt]:
    stage = FinishedStage.open(folder, "prompts")
    files = ("prompts-red-team", "prompts-helpful", "evals")
    return {row.id: row for file in files for row in stage.rows(file, Prompt)}


def faults(judgement: Judgement) -> dict[str, bool]:
    """Those that a run's `one_fault_apart` compares, but for the form."""
    named = {name: bool(getattr(judgement, name)) for name in ("harmful", "rude", "preachy", "evasive")}
    return named | {f"harms.{name}": True for name in judgement.harms}


def flaw(judgement: Judgement) -> str:
    """How the answer is malformed: by a word that the world does not have, or by its words in another order."""
    unknown = [sentence.text for sentence in judgement.sentences if sentence.meaning.kind == "unknown"]
    if not unknown:
        return "empty"
    if all(read_sentence(capitalize(text)).meaning.kind != "unknown" for text in unknown):
        return "small letter"
    foreign = any(word not in vocabulary() for text in unknown for word in words(generalize(text)[0]))
    return "no word" if foreign else "words mixed"


@cache
def vocabulary() -> frozenset[str]:
    return frozenset(word for pattern in answer_patterns() for word in words(pattern))


@cache
def words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[a-z'-]+", re.sub(r"{\w+}", " ", text).lower()))


def repaired(prompt: Prompt, judgement: Judgement) -> str | None:
    """The answer with its unknown sentences repaired; None if that changes what else is true of it."""
    situation = judgement.request.situation
    text = " ".join(
        said.text if said.meaning.kind != "unknown" else likest(said, situation) for said in judgement.sentences
    )
    found = judge(prompt.turns, text)
    same = faults(found) == faults(judgement) and found.foreign == judgement.foreign
    return text if text and same and not found.malformed else None


def likest(sentence: Sentence, situation: Situation | None) -> str:
    pattern = generalize(sentence.text)[0]
    own = set(words(pattern))
    sayable = [one for one in answer_patterns() if situation or not any(slot in one.lower() for slot in SLOTS)]
    near = sorted(sayable, key=lambda one: -len(own & {*words(one)}) / len(own | {*words(one)}))[:NEAREST]
    best = max(near, key=lambda one: SequenceMatcher(None, one, pattern).ratio())
    return situation.fill(best) if situation else best


def pairs(folder: Path) -> Iterator[Pair]:
    asked = prompts(folder)
    for name, found in answers(folder).items():
        for text, judgement in found.items():
            if not judgement.malformed:
                continue
            sound = [one for one, other in found.items() if not other.malformed and faults(other) == faults(judgement)]
            for other in sound[:1]:
                yield Pair(asked[name], text, other, "others", flaw(judgement))
            if (mended := repaired(asked[name], judgement)) is not None:
                yield Pair(asked[name], text, mended, "repaired", flaw(judgement))


def by_preference(actors: Actors, folder: Path, made: Sequence[Pair]) -> list[float]:
    """Score of the well-formed answer minus that of the malformed one."""
    model, tokenizer, form = actors.load_preference(folder), actors.tokenizer(folder), actors.format(folder)
    both = [
        sequence_tokens(tokenizer, form.prompt(one.prompt.turns), form.answer(text))
        for one in made
        for text in (one.well_formed, one.malformed)
    ]
    found = scores(model, both, pad_id=pad_id(tokenizer), dtype=actors.dtype)
    return [good - bad for good, bad in zip(found[::2], found[1::2], strict=True)]


def by_base(actors: Actors, made: Sequence[Pair]) -> list[float]:
    """Log-probability of the well-formed answer minus that of the malformed one, end marks included."""
    base = actors.actor("base", None, lambda *_: None)
    model, form = base.model, base.format
    found = run(
        together(
            model.score(dialogue(one.prompt.turns), [form.answer(one.well_formed), form.answer(one.malformed)])
            for one in made
        )
    )
    return [one.logprobs[0] - one.logprobs[1] for one in found]


def shown(made: Sequence[Pair], margins: Sequence[float], beside: str, kind: str) -> str:
    chosen = [
        (0.5 if margin == 0 else float(margin > 0), one.prompt.id)
        for one, margin in zip(made, margins, strict=True)
        if one.beside == beside and kind in ("all", one.flaw)
    ]
    if not chosen:
        return "-"
    share = rate([hit for hit, _ in chosen], [name for _, name in chosen])
    return f"{share.rate:.1%} ({share.low:.1%} to {share.high:.1%}), {len(chosen)} pairs"


def main(folder: str = "") -> None:
    if not folder:
        print(__doc__)
        return
    path = Path(folder)
    actors = Actors(config=Actors(config=load_run_config(path / "run.toml")).settled)
    made = list(pairs(path))
    margins = {
        "preference model": by_preference(actors, path / "models/pm/model", made),
        "base model": by_base(actors, made),
    }
    table = Table("beside", "malformed by", *margins)
    for beside in ("others", "repaired"):
        for kind in ("all", "words mixed", "no word", "small letter"):
            table.add_row(beside, kind, *(shown(made, margin, beside, kind) for margin in margins.values()))
    Console(width=160).print(table)


if __name__ == "__main__":
    main(*sys.argv[1:])
