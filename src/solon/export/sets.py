"""The rows of a run, as sets that trainers take: what each row holds, and which stages it comes from."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from solon.artifacts.finished import FinishedStage
from solon.artifacts.manifest import Tally
from solon.artifacts.run_folder import run_config
from solon.prompting.dialogue import MESSAGE_ROLES, HumanAssistant, with_system
from solon.records import Comparison, Demonstration, Prompt, Ranking, Record

SL, COMPARISONS, HELPFULNESS, PROMPTS = "models/sl", "comparisons", "helpfulness", "prompts"
NEEDED = (PROMPTS, SL, COMPARISONS, HELPFULNESS)
"""Stages that the sets are made from, in the order in which a run does them."""

SCENARIOS, DIALOGUES, RANKINGS = "scenarios", "dialogues", "rankings"
OPTIONAL = (SCENARIOS, DIALOGUES, RANKINGS)
"""Those that not all runs have."""

Form = Literal["conversational", "standard"]


class Message(Record):
    """One turn as chat templates and TRL call it."""

    role: str
    content: str


Content = tuple[Message, ...] | str
"""A part of a dialogue in either form."""

Asked = Annotated[Content, Field(description="The dialogue up to where the assistant speaks.")]
Kind = Annotated[str, Field(description="The prompt's: `harmful`, `mixed` or `benign`; or `scenario`.")]
PromptId = Annotated[str, Field(description="The prompt's id in the run; also the `id` of the set prompts.")]
RowId = Annotated[str, Field(description="The row's id in the run.")]


class ExportRow(Record):
    """Base of what is exported. A field's description, or the text under it, describes its column in the data card."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    @classmethod
    def of(cls, row: ExportRow, number: int) -> ExportRow:
        """A row of `SETS`, the `number`th from 0, as a row of this class."""
        return row


class SftRow(ExportRow):
    """Answers to imitate."""

    prompt: Asked
    completion: Content
    """The answer to imitate."""
    source: str
    """`revision-<round>`; `helpful` for an answer to a benign prompt; of a dialogue from an article `dialogue` or
    `explanation`."""
    finished: bool
    """False where the token limit cut the answer off: it is no example of how an answer ends."""
    kind: Kind
    prompt_id: PromptId
    id: RowId
    model: str | None
    """Who wrote an answer that was given to the run, if the file said so."""


class PreferenceRow(ExportRow):
    """Two answers to one prompt, and which is better."""

    prompt: Asked
    chosen: Content
    """The answer that is at least as probably the better one."""
    rejected: Content
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
    kind: Kind
    prompt_id: PromptId
    id: RowId
    model_chosen: str | None
    """Who wrote `chosen`, where the row was given to the run with such a name."""
    model_rejected: str | None
    """The same of `rejected`."""
    rater_id: str | None
    """Which person or model judged, where the row was given to the run with such a name."""
    session: str | None
    """The sitting in which they did."""


class PromptRow(ExportRow):
    """Prompts alone, to be answered in training."""

    prompt: Asked
    kind: Kind
    id: str
    """The prompt's id in the run."""


SETS: dict[str, type[ExportRow]] = {"sft": SftRow, "preference": PreferenceRow, "prompts": PromptRow}
"""By the name of the file, which is also that of the method of `RunSets` that yields the rows."""


def training_prompts(stage: FinishedStage, scenarios: FinishedStage | None = None) -> dict[str, Prompt]:
    """Those of the stage `prompts` by their id, in the order of the run, without those held out for evaluation; and the
    scenarios of a run that has some."""
    parts = [(stage, "prompts-red-team"), *([(scenarios, "prompts")] if scenarios else []), (stage, "prompts-helpful")]
    return {row.id: row for one, part in parts for row in one.rows(part, Prompt)}


def finetuning_prompts(run: Path) -> dict[str, Prompt]:
    """The prompts of everything that SL-CAI was finetuned on, by their id: those for training, and what was asked
    before explanations."""
    found = FinishedStage.find(run, DIALOGUES)
    why = {row.id: row for row in found.rows("prompts", Prompt)} if found else {}
    return training_prompts(FinishedStage.open(run, PROMPTS), FinishedStage.find(run, SCENARIOS)) | why


CUT_OFF, TIE = "cut off", "tie"


class RunSets:
    """The sets of one run. Each method yields a set's rows and counts them, and what it leaves out, in a tally."""

    def __init__(self, run: Path, form: Form, *, without: Collection[str] = ()):
        """`without`: kinds of row to leave out, `CUT_OFF` or `TIE`, for trainers that could not tell them from others.

        Raises `RunError` if the folder holds no run, or one that has not finished every stage in `NEEDED`."""
        self._form, self._without = form, without
        run_config(run)  # or this version cannot read it
        self._stages = {name: FinishedStage.open(run, name) for name in NEEDED}
        self._stages |= {name: found for name in OPTIONAL if (found := FinishedStage.find(run, name))}
        self._prompts = training_prompts(self._stages[PROMPTS], self._stages.get(SCENARIOS))
        self._finetuning_prompts = finetuning_prompts(run)
        self._system = _system(self._stages[SL])

    @property
    def fingerprints(self) -> dict[str, str]:
        """sha256 over the data of each stage that the sets are made from."""
        return {name: stage.manifest.fingerprint for name, stage in self._stages.items()}

    def sft(self, tally: Tally) -> Iterator[SftRow]:
        """What supervised finetuning imitated: revisions and helpful answers."""
        for row in self._stages[SL].rows("demonstrations", Demonstration):
            asked = self._finetuning_prompts[row.prompt_id]
            tally.counted["in"] += 1
            if not row.finished and CUT_OFF in self._without:
                tally.dropped[CUT_OFF] += 1
                continue
            tally.counted.update(["out", row.source, *([] if row.finished else [CUT_OFF])])
            yield SftRow(
                prompt=self._asked(asked),
                completion=self._answer(row.answer),
                source=row.source,
                finished=row.finished,
                kind=asked.kind,
                prompt_id=row.prompt_id,
                id=row.id,
                model=row.model,
            )

    def preference(self, tally: Tally) -> Iterator[PreferenceRow]:
        """Every comparison with a label. Of a tie, the first answer is `chosen`; rows without a label are left out."""
        for row in self._comparisons():
            tally.counted["in"] += 1
            p = row.p_a_preferred
            if p is None:
                tally.dropped[f"unscored: {row.unscored}"] += 1
                continue
            if p == 0.5 and TIE in self._without:
                tally.dropped[TIE] += 1
                continue
            by = f"{row.objective}, by {row.rater}" + (f" ({row.method})" if row.method else "")
            tally.counted.update(["out", by, *(["ties"] if p == 0.5 else [])])
            yield self._labelled(row, p)

    def prompts(self, tally: Tally) -> Iterator[PromptRow]:
        """What reinforcement learning draws from; it leaves out those too long for the model's context."""
        for row in self._prompts.values():
            tally.counted.update(["in", "out", row.kind])
            yield PromptRow(prompt=self._asked(row), kind=row.kind, id=row.id)

    def _asked(self, prompt: Prompt) -> Content:
        """As the trained models read it, up to where they speak: with the run's system turn where it has none."""
        turns = with_system(prompt.turns, self._system)
        if self._form == "standard":
            return HumanAssistant().prompt(turns)
        return tuple(Message(role=MESSAGE_ROLES[turn.role], content=turn.text) for turn in turns)

    def _answer(self, text: str) -> Content:
        """The answer to such a prompt; the two joined are the dialogue."""
        if self._form == "standard":
            return HumanAssistant().answer(text)
        return (Message(role=MESSAGE_ROLES["assistant"], content=text),)

    def _comparisons(self) -> Iterator[Comparison]:
        """AI harmlessness labels, rated helpfulness pairs, helpfulness comparisons that the user gave, and ranked
        answers to scenarios."""
        for stage, file in ((COMPARISONS, "rows"), (HELPFULNESS, "rows"), (PROMPTS, "comparisons")):
            yield from self._stages[stage].rows(file, Comparison)
        if found := self._stages.get(RANKINGS):
            yield from (one for row in found.rows("rows", Ranking) for one in row.comparisons)

    def _labelled(self, row: Comparison, p_a_preferred: float) -> PreferenceRow:
        asked = self._prompts[row.prompt_id]
        first = row if p_a_preferred >= 0.5 else row.swap()
        return PreferenceRow(
            prompt=self._asked(asked),
            chosen=self._answer(first.a),
            rejected=self._answer(first.b),
            p_chosen=max(p_a_preferred, 1.0 - p_a_preferred),
            objective=row.objective,
            rater=row.rater,
            method=row.method,
            principle=row.principle_id,
            kind=asked.kind,
            prompt_id=row.prompt_id,
            id=row.id,
            model_chosen=first.model_a,
            model_rejected=first.model_b,
            rater_id=row.rater_id,
            session=row.session,
        )


def _system(stage: FinishedStage) -> str:
    """The system turn under which a stage's model was trained; "": none."""
    config = stage.manifest.config
    models = config.get("models") if isinstance(config, dict) else None
    base = models.get("base") if isinstance(models, dict) else None
    return str(base.get("system") or "") if isinstance(base, dict) else ""
