"""The way back: from what a run made to its prompt, model and principles, and the public's statements and votes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from solon.config.rewards import RewardsSection
from solon.constitution.principles import Principle
from solon.data.alike import pairs_of_words
from solon.data.apart import words_of
from solon.records import (
    Answer,
    Comparison,
    Demonstration,
    Dialogue,
    MonitorAnswer,
    Pair,
    Prompt,
    Ranking,
    Revision,
    Rollout,
)
from solon.report.lineage.describe import node, principle_ids
from solon.report.lineage.records import Kind, Link, Node, Step
from solon.report.lineage.rows import Row, RunRows

ALIKE_PROMPTS = 3
TEACHERS: dict[str, tuple[Kind, ...]] = {
    "models/sl": ("demonstration",),
    "models/rl": ("demonstration", "comparison", "rollout"),
    "models/dpo": ("demonstration", "comparison"),
}
"""Kinds of row that made a trained model what it is."""
TAUGHT_BY: dict[str, Kind] = {"models/sl": "demonstration", "models/pm": "comparison", "models/dpo": "comparison"}
_PARTS = {"dialogue": "answer", "explanation": "explanation"}
"""Of a dialogue, by the source of the example."""
_TRAINED = {"rl": "models/rl", "sl": "models/sl", "dpo": "models/dpo"}


def _unknown_rewards(rewards: RewardsSection) -> Iterator[str]:
    """Where ways end from rollouts to what rewarded them, besides the run's own preference model."""
    if rewards.judge:
        yield "the judge rewarded rollouts; its verdicts and their principles were not kept, so the way ends there"
    for name, model in rewards.models.items():
        if model.weight:
            yield f"models.{name} rewarded rollouts; it is of another run, and the way ends at {model.path}"
    if texts := rewards.of_texts:
        yield f"{', '.join(texts)}: rewards by the texts of rollouts alone"


class Back:
    """Steps that lead back. Things are at most `most` a step; the others are counted."""

    def __init__(self, rows: RunRows, most: int) -> None:
        self.rows, self.most = rows, most

    def of(self, row: Row) -> list[Step]:
        """From a thing to everything that it comes from."""
        found: list[Step] = []
        if row.prompt_id:
            found += self.step("exact", "answers the prompt", [self.rows.prompts.get(row.prompt_id)])
        if row.kind == "prompt":
            found += self._twin(row)
        found += self._writer(row)
        found += self.shaped_by(row)
        return found + self._learnt_from(row)

    def shaped_by(self, row: Row) -> list[Step]:
        """What made a row what it is, down to principles, statements and votes."""
        match row.record:
            case Demonstration() as example:
                return self._imitates(example)
            case Revision():
                return self._principles(row.stage, principle_ids(row), "was criticized and revised under")
            case Comparison() as one:
                return self._principles(row.stage, principle_ids(row), _judged_by(one))
            case Dialogue():
                return self._principles(row.stage, principle_ids(row), "explains itself by the article")
            case Ranking():
                return self._principles(row.stage, principle_ids(row), "ranks answers by the article and the whole")
            case Prompt():
                return self._principles(row.stage, principle_ids(row), "was written from the article")
            case Rollout():
                return self._rewarded(row)
            case Principle() as principle:
                return self._statements(principle.id)
        return self._trained_on(row) if row.kind == "model" else []

    def step(self, link: Link, says: str, found: Iterable[Row | None], *, deeper: bool = True) -> list[Step]:
        """The step to these things and, `deeper`, on to what made them; none without any."""
        known = [row for row in found if row]
        things = [node(self.rows, row, *(self.shaped_by(row) if deeper else ())) for row in known[: self.most]]
        return self.leads(link, says, things, len(known))

    def leads(self, link: Link, says: str, things: Sequence[Node], total: int) -> list[Step]:
        return [Step(link=link, says=says, total=total, things=tuple(things))] if total else []

    def _twin(self, row: Row) -> list[Step]:
        other = self.rows.prompts.get(row.id.removesuffix("-twin"))
        return self.step("exact", "is the harmful twin of", [other] if other and other.id != row.id else [])

    def _writer(self, row: Row) -> list[Step]:
        """The trained model that wrote it; of models that the run was given, the origin says who they are."""
        folder = {
            "pairs": "models/sl",
            "comparisons": "models/sl",
            "helpfulness": "models/sl",
            "rankings": "models/sl",
        }.get(row.stage)
        if isinstance(row.record, Answer):
            folder = _TRAINED.get(row.stage.removeprefix("answers-"))
        if isinstance(row.record, Rollout | MonitorAnswer):
            folder = "models/rl"
        if folder is None:
            return []
        both = isinstance(row.record, Pair | Comparison | Ranking)
        says = "both answers were written by" if both else "was written by"
        says = "was sampled while it was trained:" if row.stage == folder else says
        return self.step("exact", says, self.rows.of("model", stage=folder), deeper=False)

    def _imitates(self, example: Demonstration) -> list[Step]:
        """The round of a chain, or the answer, that a demonstration repeats."""
        own = self.rows.by_prompt.get(example.prompt_id, ())
        if example.source in ("dialogue", "explanation"):
            made = [row for row in self.rows.of("dialogue") if row.id == example.id.rpartition(".")[0]]
            return self.step("exact", f"is the {_PARTS[example.source]} of the dialogue", made)
        if not example.source.startswith("revision-"):
            answers = [row for row in own if row.stage == "helpful" and row.id == example.id]
            return self.step("exact", "is the assistant's answer", answers)
        number = int(example.source.removeprefix("revision-"))
        found = []
        for row in own:
            if isinstance(row.record, Revision) and example.id.startswith(f"{row.id}-"):
                names = [step.principle_id for step in row.record.rounds[number - 1 : number]]
                how = f"round {number} criticized and revised under"
                found.append(node(self.rows, row, *self._principles(row.stage, names, how)))
        return self.leads("exact", f"is revision {number} of the chain", found, len(found))

    def _principles(self, stage: str, names: Sequence[str], how: str) -> list[Step]:
        known = [row for name in names for row in self.rows.of("principle") if row.id == name]
        if self.rows.is_of(stage) is False:
            return self.step("association", f"{how} (the constitution has changed since)", known)
        return self.step("exact", how, known)

    def _rewarded(self, row: Row) -> list[Step]:
        rewards = self.rows.config.rl.rewards
        self.rows.notes += _unknown_rewards(rewards)
        if not rewards.preference:
            return []
        pm = self.rows.of("model", stage="models/pm")
        taught = [one for one in self.rows.by_prompt.get(row.prompt_id or "", ()) if one.kind == "comparison"]
        return [
            *self.step("exact", "was rewarded by the preference model", pm, deeper=False),
            *self.step("association", "comparisons of the same prompt, among those that it learnt from", taught),
        ]

    def _statements(self, principle: str) -> list[Step]:
        """Of public input."""
        link: Link = "exact" if self.rows.public_is_exact else "association"
        made = [one for one in self.rows.of("statement") if getattr(one.record, "became", None) == principle]
        return self.step(link, "was made of the public's statements", made)

    def _trained_on(self, row: Row) -> list[Step]:
        """What a model started from, what rewarded it, and the rows that it was given; some may have been left out."""
        inputs = self.rows.stages[row.stage].manifest.inputs
        before = [one for one in self.rows.of("model") if one.id in inputs]
        kind = TAUGHT_BY.get(row.stage, "rollout")
        return [
            *self.step("exact", "was made from the models", before, deeper=False),
            *self.step("exact", f"was given these {kind}s to learn from", self.rows.of(kind)),
        ]

    def _learnt_from(self, row: Row) -> list[Step]:
        """Of a trained model's answer: training prompts that are most alike, with the rows that taught the model."""
        folder = _TRAINED.get(row.stage.removeprefix("answers-")) if isinstance(row.record, Answer) else None
        asked = self.rows.prompts.get(row.prompt_id or "")
        if not folder or not asked or not isinstance(asked.record, Prompt):
            return []
        near = self._alike(asked.record)
        things = [node(self.rows, one, *self._taught(one, TEACHERS[folder])) for one in near]
        says = "training prompts of the same kind that are most alike in words, and what was learnt from them"
        return self.leads("association", says, things, len(near))

    def _taught(self, prompt: Row, kinds: Sequence[Kind]) -> list[Step]:
        own = self.rows.by_prompt.get(prompt.id, ())
        of_kind = ((kind, [row for row in own if row.kind == kind]) for kind in kinds)
        return [
            step
            for kind, found in of_kind
            for step in self.step("exact", f"{kind}s of this prompt", found, deeper=kind != "rollout")
        ]

    def _alike(self, asked: Prompt) -> list[Row]:
        """Training prompts of its kind, by the share of pairs of neighboring words that are in both."""
        own = pairs_of_words(words_of(asked))

        def share(row: Row) -> float:
            assert isinstance(row.record, Prompt)
            other = pairs_of_words(words_of(row.record))
            return len(own & other) / len(own | other) if own | other else 0.0

        training = [row for row in self.rows.of("prompt") if row.file != "evals"]
        known = [row for row in training if isinstance(row.record, Prompt) and row.record.kind == asked.kind]
        taught = [row for row in known if row.id in self.rows.by_prompt]
        return sorted(taught, key=lambda row: (-share(row), row.id))[: min(ALIKE_PROMPTS, self.most)]


def _judged_by(one: Comparison) -> str:
    if len(one.principle_ids) < 2:
        return "was judged by the principle"
    if one.articles:
        return "was judged by the articles together"
    return "was judged by the principles" + (
        f", of which {one.principle_id} gave the label" if one.principle_id else " together"
    )
