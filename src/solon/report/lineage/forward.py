"""The way forward: from a prompt, a principle or a row to what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

from solon.collective.principles.trace import StatementTrace
from solon.records import Answer, Comparison, Demonstration, Dialogue, Revision, RevisionRound
from solon.report.lineage.back import Back
from solon.report.lineage.describe import node, principle_ids, quoted
from solon.report.lineage.learning import learnt
from solon.report.lineage.records import Link, Node, Step
from solon.report.lineage.rows import Row, RunRows

_FROM_ARTICLES = (
    ("prompts written from it", "scenarios/prompts"),
    ("dialogues that explain themselves by it", "dialogues/rows"),
    ("rankings of answers to what was written from it", "rankings/rows"),
)
"""What comes of an article, and in which file it lies."""
Round = tuple[Row, int, str, RevisionRound]
"""A chain, the number of a round from 1, the answer before it, and the round."""


class Forward:
    """Steps that lead forward. Things are at most `most` a step; the others are counted."""

    def __init__(self, rows: RunRows, most: int) -> None:
        self.rows, self.most, self._back = rows, most, Back(rows, most)

    def of(self, row: Row) -> list[Step]:
        """From a thing to everything that came of it."""
        match row.record:
            case Revision() | Dialogue():
                return self._demonstrated(row)
            case Demonstration():
                return self._trained(row, "models/sl")
            case Comparison():
                return self._compared(row)
            case Answer():
                return self._answered(row)
            case StatementTrace() as statement:
                return self._became(statement)
        ways: dict[str, Callable[[Row], list[Step]]] = {
            "prompt": self._asked,
            "principle": self._ruled,
            "model": self._wrote,
            "rollout": lambda row: self._trained(row, "models/rl"),
        }
        return ways[row.kind](row) if row.kind in ways else []

    def step(self, says: str, found: Iterable[Row], *, association: bool = False) -> list[Step]:
        return self._back.step("association" if association else "exact", says, list(found), deeper=False)

    def _demonstrated(self, chain: Row) -> list[Step]:
        """Of a chain or a dialogue."""
        made = [row for row in self.rows.of("demonstration") if row.id.startswith((f"{chain.id}-", f"{chain.id}."))]
        return self.step("became examples of finetuning", made)

    def _trained(self, row: Row, *folders: str) -> list[Step]:
        """The models that may have learnt from a row."""
        models = (
            (model, learnt(self.rows, row, model.stage)) for model in self.rows.of("model") if model.stage in folders
        )
        return [step for model, found in models if found for step in self._back.step(*found, [model], deeper=False)]

    def _compared(self, row: Row) -> list[Step]:
        return [
            *self._trained(row, "models/pm", "models/dpo"),
            *self.step(
                "rollouts of the same prompt, rewarded by a model that learnt from it among others",
                [one for one in self.rows.by_prompt.get(row.prompt_id or "", ()) if one.kind == "rollout"],
                association=True,
            ),
        ]

    def _answered(self, row: Row) -> list[Step]:
        """Of held-out answers their grades, of helpful ones the examples that they became."""
        if row.stage == "helpful":
            own = self.rows.by_prompt.get(row.prompt_id or "", ())
            made = [one for one in own if one.kind == "demonstration" and one.id == row.id]
            return self.step("became an example of finetuning", made)
        model = row.stage.removeprefix("answers-")
        graded = [
            Row(kind="score", stage="scores", file="rows", record=score, id=f"{score.grader}.{model}.{score.item}")
            for score in self.rows.scores
            if (score.model, score.item) == (model, row.prompt_id)
        ]
        return self.step("was graded", graded)

    def _became(self, statement: StatementTrace) -> list[Step]:
        made = [row for row in self.rows.of("principle") if row.id == statement.became]
        things = [node(self.rows, row, *self._ruled(row)) for row in made]
        link: Link = "exact" if self.rows.public_is_exact else "association"
        return self._back.leads(link, "became the principle", things, len(things))

    def _asked(self, prompt: Row) -> list[Step]:
        """Everything that was made from a prompt, by stage."""
        found: dict[str, list[Row]] = {}
        for row in self.rows.by_prompt.get(prompt.id, ()):
            found.setdefault(f"{row.kind}s in {row.stage}", []).append(row)
        twin = self.rows.prompts.get(f"{prompt.id}-twin")
        steps = [step for says, own in found.items() for step in self.step(says, own)]
        return [*self.step("has the harmful twin", [twin] if twin else []), *steps]

    def _ruled(self, principle: Row) -> list[Step]:
        """What a principle changed: exact down to examples and labels, an association from there to the models."""
        rounds = [one for one in self._rounds() if one[3].principle_id == principle.id]
        changed = [one for one in rounds if one[3].used and one[3].revision != one[2]]
        judged = [(row, ids) for row in self.rows.of("comparison") if principle.id in (ids := principle_ids(row))]
        made = [(row.id, number) for row, number, _, step in rounds if step.used]
        taught = [row for row in self.rows.of("demonstration") if self._source(row) in set(made)]
        models = self._learners(taught=bool(taught), judged=bool(judged))
        steps = [
            *self._written(principle),
            *self._told("rounds of critique and revision under it", rounds),
            *self._told("revisions under it that changed the answer and were used", changed),
            *self.step("these became examples of finetuning", taught),
            *self.step("comparisons judged by it", [row for row, ids in judged if len(ids) == 1]),
            *self.step("comparisons judged by it among others", [row for row, ids in judged if len(ids) > 1]),
        ]
        if not steps:
            return []
        says = "models that learnt from these among others"
        return [*steps, *self.step(says, models, association=True)]

    def _written(self, principle: Row) -> list[Step]:
        """Data that was made from an article."""
        made = [row for row in self.rows.of("prompt", "dialogue", "ranking") if principle.id in principle_ids(row)]
        steps = (
            self.step(says, [row for row in made if f"{row.stage}/{row.file}" == at]) for says, at in _FROM_ARTICLES
        )
        return [step for found in steps for step in found]

    def _learners(self, *, taught: bool, judged: bool) -> list[Row]:
        """The models that examples or labels under a principle were among what taught."""
        learners = {"sl": taught, "pm": judged, "rl": taught or judged, "dpo": taught or judged}
        return [row for row in self.rows.of("model") if learners[row.id]]

    def _wrote(self, model: Row) -> list[Step]:
        stages = {f"answers-{model.id}", *(("pairs", "helpfulness") if model.id == "sl" else ())}
        found: dict[str, list[Row]] = {}
        for row in self.rows.all:
            if row.stage in stages:
                found.setdefault(f"wrote {row.kind}s in {row.stage}", []).append(row)
        return [step for says, own in found.items() for step in self.step(says, own)]

    def _rounds(self) -> Iterable[Round]:
        for row in self.rows.of("revision"):
            assert isinstance(row.record, Revision)
            for number, ((before, _), step) in enumerate(
                zip(pairwise(row.record.texts), row.record.rounds, strict=True), start=1
            ):
                yield row, number, before, step

    def _source(self, row: Row) -> tuple[str, int] | None:
        """The chain and the number of the round that a demonstration repeats."""
        assert isinstance(row.record, Demonstration)
        chain, source = row.id.rpartition("-")[0], row.record.source
        return (chain, int(source.removeprefix("revision-"))) if source.startswith("revision-") else None

    def _told(self, says: str, rounds: list[Round]) -> list[Step]:
        things = [self._round(*one) for one in rounds[: self.most]]
        return self._back.leads("exact", says, things, len(rounds))

    def _round(self, row: Row, number: int, before: str, step: RevisionRound) -> Node:
        critique = f"{quoted(step.critique)}; " if step.critique else ""
        kept = "was kept out" if step.kept_out else "changed nothing" if step.revision == before else "gave"
        said = f"round {number}: {critique}{quoted(before)} {kept}" + (
            f" {quoted(step.revision)}" if kept == "gave" else ""
        )
        return node(self.rows, row).model_copy(update={"says": said})
