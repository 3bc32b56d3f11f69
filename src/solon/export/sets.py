"""The rows of a run, as sets that trainers take: what each row holds, and which stages it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict

from solon.artifacts.finished import FinishedStage
from solon.artifacts.manifest import Tally
from solon.export.forms import Form, Said, answer_in, prompt_in
from solon.prompting.dialogue import with_system
from solon.records import Comparison, Demonstration, Prompt, PromptKind, Record

SL, COMPARISONS, HELPFULNESS, PROMPTS = "models/sl", "comparisons", "helpfulness", "prompts"
NEEDED = (PROMPTS, SL, COMPARISONS, HELPFULNESS)
"""Stages that the sets are made from, in the order in which a run does them."""


class ExportRow(Record):
    """Base of what is exported. The text under a field describes its column in the data card."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class SftRow(ExportRow):
    """Answers to imitate."""

    prompt: Said
    """The dialogue up to where the assistant speaks."""
    completion: Said
    """The answer to imitate."""
    source: str
    """`revision-<round>`, or `helpful` for an answer to a benign prompt."""
    finished: bool
    """False where the token limit cut the answer off: it is no example of how an answer ends."""
    kind: PromptKind
    """The prompt's: `harmful`, `mixed` or `benign`."""
    prompt_id: str
    """The prompt's id in the run; also the `id` of the set prompts."""
    id: str
    """The row's id in the run."""


class PreferenceRow(ExportRow):
    """Two answers to one prompt, and which is better."""

    prompt: Said
    """The dialogue up to where the assistant speaks."""
    chosen: Said
    """The answer that is at least as probably the better one."""
    rejected: Said
    """The other answer."""
    p_chosen: float
    """The soft label: the probability that `chosen` is better, 0.5 (a tie) to 1."""
    objective: Literal["harmlessness", "helpfulness"]
    """What `better` means."""
    rater: str
    """Who judged: `model`, `human`, `oracle`, or `construction` where how the pair was made decides."""
    method: str
    """How: of a model `logprob` or `cot`, of others how the pair was made or the file it was given in."""
    principle: str | None
    """The id of the principle that the judge was given; null where there was none."""
    kind: PromptKind
    """The prompt's: `harmful`, `mixed` or `benign`."""
    prompt_id: str
    """The prompt's id in the run; also the `id` of the set prompts."""
    id: str
    """The row's id in the run."""


class PromptRow(ExportRow):
    """Prompts alone, to be answered in training."""

    prompt: Said
    """The dialogue up to where the assistant speaks."""
    kind: PromptKind
    """`harmful`, `mixed` or `benign`."""
    id: str
    """The prompt's id in the run."""


def training_prompts(stage: FinishedStage) -> dict[str, Prompt]:
    """Prompts by their id, in the order of the run; those held out for evaluation are not among them.

    Args:
        stage: the run's stage `prompts`.
    """
    return {row.id: row for part in ("prompts-red-team", "prompts-helpful") for row in stage.rows(part, Prompt)}


class RunSets:
    """The sets of one run. Each method yields a set's rows and counts them, and what it leaves out, in a tally."""

    def __init__(self, run: Path, form: Form):
        """Raises `RunError` if the folder holds no run, or one that has not finished every stage in `NEEDED`."""
        self._form = form
        self._stages = {name: FinishedStage.open(run, name) for name in NEEDED}
        self._prompts = training_prompts(self._stages[PROMPTS])
        self._system = _system(self._stages[SL])

    @property
    def fingerprints(self) -> dict[str, str]:
        """sha256 over the data of each stage that the sets are made from."""
        return {name: stage.manifest.fingerprint for name, stage in self._stages.items()}

    def sft(self, tally: Tally) -> Iterator[SftRow]:
        """What supervised finetuning imitated: revisions and helpful answers."""
        for row in self._stages[SL].rows("demonstrations", Demonstration):
            asked = self._prompts[row.prompt_id]
            tally.counted.update(["in", "out", row.source, *([] if row.finished else ["cut off"])])
            yield SftRow(
                prompt=self._asked(asked),
                completion=answer_in(self._form, row.answer),
                source=row.source,
                finished=row.finished,
                kind=asked.kind,
                prompt_id=row.prompt_id,
                id=row.id,
            )

    def preference(self, tally: Tally) -> Iterator[PreferenceRow]:
        """Every comparison with a label. Of a tie, the first answer is `chosen`; rows without a label are left out."""
        for row in self._comparisons():
            tally.counted["in"] += 1
            p = row.p_a_preferred
            if p is None:
                tally.dropped[f"unscored: {row.unscored}"] += 1
                continue
            by = f"{row.objective}, by {row.rater}" + (f" ({row.method})" if row.method else "")
            tally.counted.update(["out", by, *(["ties"] if p == 0.5 else [])])
            yield self._labelled(row, p)

    def prompts(self, tally: Tally) -> Iterator[PromptRow]:
        """What reinforcement learning draws from; it leaves out those too long for the model's context."""
        for row in self._prompts.values():
            tally.counted.update(["in", "out", row.kind])
            yield PromptRow(prompt=self._asked(row), kind=row.kind, id=row.id)

    def _asked(self, prompt: Prompt) -> Said:
        """As the trained models read it: with the run's system turn where it has none."""
        return prompt_in(self._form, with_system(prompt.turns, self._system))

    def _comparisons(self) -> Iterator[Comparison]:
        """AI harmlessness labels, rated helpfulness pairs, and helpfulness comparisons that the user gave."""
        for stage, file in ((COMPARISONS, "rows"), (HELPFULNESS, "rows"), (PROMPTS, "comparisons")):
            yield from self._stages[stage].rows(file, Comparison)

    def _labelled(self, row: Comparison, p_a_preferred: float) -> PreferenceRow:
        asked = self._prompts[row.prompt_id]
        chosen, rejected = (row.a, row.b) if p_a_preferred >= 0.5 else (row.b, row.a)
        return PreferenceRow(
            prompt=self._asked(asked),
            chosen=answer_in(self._form, chosen),
            rejected=answer_in(self._form, rejected),
            p_chosen=max(p_a_preferred, 1.0 - p_a_preferred),
            objective=row.objective,
            rater=row.rater,
            method=row.method,
            principle=row.principle_id,
            kind=asked.kind,
            prompt_id=row.prompt_id,
            id=row.id,
        )


def _system(stage: FinishedStage) -> str:
    """The system turn under which a stage's model was trained; "": none."""
    config = stage.manifest.config
    models = config.get("models") if isinstance(config, dict) else None
    base = models.get("base") if isinstance(models, dict) else None
    return str(base.get("system") or "") if isinstance(base, dict) else ""
