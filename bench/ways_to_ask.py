"""Which way of asking a chat model for critiques and revisions gives revisions: not echoes, not noise.

    python bench/ways_to_ask.py MODEL PROMPTS.txt [--prompts 24] [--rounds 1] [--tokens 96] [--temperature 0.3]
                                [--top-p 0.9] [--constitution harmlessness] [--show 20]

PROMPTS.txt has one request per line; empty lines and those that begin with # are left out. The first answers are the
same for every way. A revision counts as one if it is neither noise nor an echo nor unchanged.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from solon.config.feedback import Ask, SupervisedSection
from solon.constitution.few_shots import CritiqueShot, load_few_shots
from solon.constitution.load import load_constitution
from solon.evals.quality import text_quality
from solon.feedback.critique import revise
from solon.feedback.rows import Rows, Sampler
from solon.lm.engines import ModelSpec, open_engine
from solon.lm.protocols import Capabilities, Completion, LanguageModel, OptionScores, Sampling
from solon.models.load import load_tokenizer
from solon.prompting.asking import critique_format
from solon.prompting.chat_template import DialogueFormat, dialogue_format
from solon.prompting.context import Context
from solon.records import Prompt, Revision, Turn


@dataclass
class Remembering:
    """A model that answers the same request once."""

    model: LanguageModel
    known: dict[tuple[object, ...], Completion] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        return self.model.identity

    @property
    def can(self) -> Capabilities:
        return self.model.can

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        key = (context, seed)
        if key not in self.known:
            self.known[key] = await self.model.complete(context, sampling, seed=seed)
        return self.known[key]

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        return await self.model.score(context, options)


def prompts_of(path: Path, count: int) -> list[Prompt]:
    """So many lines, evenly spread."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and line[0] != "#"]
    chosen = [lines[place * len(lines) // count] for place in range(min(count, len(lines)))]
    return [
        Prompt(id=f"p{place}", kind="harmful", turns=(Turn(role="human", text=line),))
        for place, line in enumerate(chosen)
    ]


def chains(
    arguments: argparse.Namespace, model: Remembering, format: DialogueFormat, ask: Ask, shots: Sequence[CritiqueShot]
) -> Rows[Revision]:
    """The chains of one way to ask."""
    sampling = Sampling(max_new_tokens=arguments.tokens, temperature=arguments.temperature, top_p=arguments.top_p)
    answers, revisions = (
        Sampler(model=model, sampling=sampling, seed=arguments.seed, stage=stage, guard=format.guard)
        for stage in ("respond", "revisions")
    )
    principles = load_constitution(arguments.constitution).critique_principles()
    section = SupervisedSection(rounds=arguments.rounds)
    return revise(
        prompts_of(arguments.prompts_file, arguments.prompts),
        answers,
        revisions,
        principles,
        section,
        shots=shots,
        format=critique_format(format, ask),
    )


def row_of(name: str, made: Rows[Revision]) -> str:
    """A line of the table."""
    texts = {one.kind: one for one in text_quality("revisions", made.noted + made.texts)}
    critiques, found = texts["critique"], texts["revision"]
    cells = [found.written, found.sound, *found.echoes.values(), *found.flaws.values()]
    cells += [critiques.sound, critiques.noise, *critiques.echoes.values()]
    return f"| {name} | {' | '.join(map(str, cells))} | {critiques.logprob:.2f} | {found.logprob:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("prompts_file", type=Path)
    parser.add_argument("--constitution", default="harmlessness")
    parser.add_argument("--prompts", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--temperature", type=float, default=0.3)
    parser.add_argument("--top-p", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ways", nargs="*", default=[way for way in get_args(Ask) if way != "auto"])
    parser.add_argument("--shots", nargs="*", type=int, default=[0, 5])
    parser.add_argument("--show", type=int, default=0)
    if len(sys.argv) == 1:
        print(__doc__)
        return
    arguments = parser.parse_args()
    format = dialogue_format(load_tokenizer(arguments.model))
    model = Remembering(open_engine("local", ModelSpec(model=str(arguments.model), format=format, batch_size=24)))
    examples = load_few_shots(Path("src/solon/constitution/examples") / arguments.constitution).critique
    for ask in arguments.ways:
        for count in arguments.shots:
            made = chains(arguments, model, format, ask, examples[:count])
            print(row_of(f"{ask}, {count} examples", made), flush=True)
            for chain in made.records[: arguments.show]:
                print(chain.model_dump_json(), flush=True)


if __name__ == "__main__":
    main()
