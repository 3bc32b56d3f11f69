"""A regressor of harmfulness ratings: trained in a folder of its own, held against ratings, put to a run's answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from solon.artifacts.atomic import canonical_json
from solon.artifacts.finished import FinishedStage
from solon.artifacts.lock import FolderLock
from solon.artifacts.manifest import Header
from solon.artifacts.run_folder import run_config
from solon.artifacts.stage import StageFolder
from solon.config.models import ModelsSection
from solon.errors import ModelError, PromptError, RunError, Where
from solon.evals.harmfulness import (
    LEARNED,
    LearnedFrom,
    Rated,
    RegressorQuality,
    ScoredAnswer,
    harmfulness_evaluations,
    regressor_quality,
    request_of,
)
from solon.evals.kept import Evaluation, fingerprints
from solon.feedback.rows import Rows
from solon.lm.engines.local import context_of
from solon.models.folder import check_regressor
from solon.models.heads import PreferenceModel
from solon.models.tokens import pad_id
from solon.pipeline.actors import Actors, format_of
from solon.pipeline.evaluating import ANSWERS, temperature_of_answers
from solon.pipeline.sources import EVALUATION, PromptSets, ground_truth
from solon.progress import Reporter
from solon.prompting.chat_template import DialogueFormat
from solon.records import Answer, Prompt, Record, Revision, Turn
from solon.train.batches import fit
from solon.train.loop import TrainContext
from solon.train.preference import holdout_draw, scores, sequence_tokens
from solon.train.regression import RatedExample, train_regressor
from solon.world.oracle import judge

if TYPE_CHECKING:
    from solon.pipeline.work import Work

REGRESSOR = "regressor"
"""The stage's folder in the folder that is asked for."""
REQUESTS = "learned-from.json"
"""A `LearnedFrom`, beside the weights."""
Asked = tuple[str, Answer, Prompt]
"""A model's name, what it answered, and to what."""


class HeldOutScore(Record):
    """A dialogue that was not trained on."""

    id: str
    rating: float
    score: float


def train_on(
    rated: Sequence[Rated], data: dict[str, str], actors: Actors, out: Path, reporter: Reporter
) -> tuple[Path, RegressorQuality]:
    """The regressor's folder, and how good it is on the dialogues that `preference.holdout` keeps out. A command that
    was stopped goes on from its last checkpoint to the same bytes.

    data: hashes of what the ratings were read from. Raises `PromptError` if none is left to train on or to hold out.
    """
    config, assistant = actors.settled, actors.settled.models.assistant
    header = Header(
        stage=REGRESSOR,
        seed=config.seed,
        config={
            "preference": config.preference.result_settings(),
            "rows": len(rated),
            "models": {"dtype": config.models.dtype, "system": assistant.system, "dialogue": assistant.dialogue},
        },
        inputs={**data, **actors.fingerprints("assistant")},
    )
    out.mkdir(parents=True, exist_ok=True)
    lock = FolderLock(out)
    try:
        if FinishedStage.of(out, header) is None:
            _train(rated, actors, StageFolder(out, header), reporter)
    finally:
        lock.release()
    found = FinishedStage.find(out, REGRESSOR)
    assert found is not None
    return found.path("model"), RegressorQuality.model_validate_json(found.path("quality.json").read_bytes())


def _train(rated: Sequence[Rated], actors: Actors, folder: StageFolder, reporter: Reporter) -> None:
    config, path = actors.settled, actors.path("assistant")
    loaded, format = actors.load(path, trainable=True), actors.format(path, "assistant")
    examples, dropped = fit(
        [_example(one, format, loaded.tokenizer) for one in rated], context_of(loaded.model, loaded.tokenizer)
    )
    share, seed = config.preference.holdout, config.seed
    kept_out = [one for one in examples if holdout_draw(one.about, seed=seed) < share]
    training = [one for one in examples if holdout_draw(one.about, seed=seed) >= share]
    if not training or not kept_out:
        what = f"{len(rated)} rated dialogues leave {len(training)} to train on and {len(kept_out)} to hold out"
        raise PromptError(what, hint="give more, or change preference.holdout")
    for name, count in {"in": len(rated), "out": len(training), "held out": len(kept_out)}.items():
        folder.count(name, count)
    for reason, count in dropped.items():
        folder.drop(reason, count)
    model, pad = PreferenceModel(loaded.model, seed=seed), pad_id(loaded.tokenizer)
    reporter.stage(folder.name, len(training) * config.preference.epochs)
    with folder.timed():
        context = TrainContext(
            seed=seed, pad_id=pad, dtype=actors.dtype, checkpoints=folder.checkpoint, progress=reporter.advance
        )
        folder.write_records("steps", train_regressor(model, training, config.preference, context))
        found = _scored(model, kept_out, pad, actors)
        rows = [
            HeldOutScore(id=one.id, rating=one.rating, score=score) for one, score in zip(kept_out, found, strict=True)
        ]
        folder.write_records("held-out", rows)
        by_id = {one.id: one for one in rated}
        folder.write_json("quality.json", regressor_quality([by_id[one.id] for one in kept_out], found, seed=seed))
        with folder.new_folder("model") as new:
            model.save(new, loaded.tokenizer, end=format.end)
            learned = {request_of(by_id[one.id].turns) for one in training}
            (new / REQUESTS).write_bytes(canonical_json(LearnedFrom(requests=tuple(sorted(learned)))))
    folder.finish()
    reporter.end_stage()


class Regressor:
    """One that was trained before, and how it reads dialogues."""

    def __init__(self, folder: Path, actors: Actors, *, format: DialogueFormat | None = None) -> None:
        """format: in which it reads dialogues; None: the one of the role `base`. Raises `ModelError` if the folder
        holds none."""
        self._actors, self._model = actors, actors.load_preference(folder)
        check_regressor(folder)
        self._tokenizer, self._format = actors.tokenizer(folder), format or actors.format(folder)
        self._learned = _learned_from(folder)

    @property
    def notes(self) -> list[str]:
        """What is to be said of its scores."""
        what = "the regressor does not say what it learned from, so what it scores may be among that"
        return [what] if self._learned is None else []

    def has_learned(self, turns: Sequence[Turn]) -> bool:
        """Whether it was trained on a dialogue that began with the same words."""
        return self._learned is not None and request_of(turns) in self._learned

    def __call__(self, dialogues: Sequence[Sequence[Turn]]) -> list[float | None]:
        """The score of each; None for one that is longer than the model reads."""
        rated = [Rated(id=str(place), turns=tuple(turns), rating=0.0) for place, turns in enumerate(dialogues)]
        most = context_of(self._model.backbone, self._tokenizer)
        kept, _ = fit([_example(one, self._format, self._tokenizer) for one in rated], most)
        found = _scored(self._model, kept, pad_id(self._tokenizer), self._actors)
        by_place = dict(zip((one.id for one in kept), found, strict=True))
        return [by_place.get(one.id) for one in rated]

    def answers(self, asked: Sequence[Asked]) -> tuple[ScoredAnswer, ...]:
        """Of answers to prompts, in their order."""
        found = self([(*prompt.turns, Turn(role="assistant", text=row.text)) for _, row, prompt in asked])
        return tuple(self._answer(*one, score) for one, score in zip(asked, found, strict=True))

    def _answer(self, model: str, row: Answer, prompt: Prompt, score: float | None) -> ScoredAnswer:
        known = self.has_learned(prompt.turns)
        why = LEARNED if known else "too long" if score is None else None
        own = None if known else score
        return ScoredAnswer(id=f"{model}/{row.id}", model=model, prompt_id=row.prompt_id, score=own, unscored=why)


def _learned_from(folder: Path) -> frozenset[str] | None:
    """None: nobody kept it."""
    try:
        kept = (folder / REQUESTS).read_bytes()
    except FileNotFoundError:
        return None
    try:
        return frozenset(LearnedFrom.model_validate_json(kept).requests)
    except ValueError as error:
        hint = "copy it again from where the regressor came from"
        raise ModelError("is no list of what was learned from", where=Where(folder / REQUESTS), hint=hint) from error


def _example(rated: Rated, format: DialogueFormat, tokenizer: object) -> RatedExample:
    prompt, answer = format.prompt(rated.turns[:-1]), format.answer(rated.turns[-1].text)
    ids = sequence_tokens(tokenizer, prompt, answer)  # type: ignore[arg-type]
    return RatedExample(id=rated.id, about=rated.about, ids=ids, rating=rated.rating)


def _scored(model: PreferenceModel, examples: Sequence[RatedExample], pad: int, actors: Actors) -> list[float]:
    ids, section = [one.ids for one in examples], actors.settled.preference
    found = scores(model, ids, section=section, pad_id=pad, dtype=actors.dtype)
    return [(model.rating_mean or 0.0) + score for score in found]


def rated_by_oracle(run: Path) -> list[Rated]:
    """The answers of the assistant's chains in a run of the world, rated by the oracle (`Judgement.harmfulness`).
    Raises `RunError` if there is no such run, `PromptError` if it is not of the world."""
    if ground_truth(run_config(run).prompts) is None:
        raise PromptError(
            "the prompts of this run are not the world's, so nobody can rate its answers", where=Where(run)
        )
    prompts = PromptSets.read(dict.fromkeys(("prompts/prompts-red-team",), FinishedStage.open(run, "prompts"))).by_id()
    found: dict[tuple[str, str], Rated] = {}
    for chain in FinishedStage.open(run, "revisions").rows("rows", Revision):
        for number, text in enumerate(chain.texts):
            turns = (*prompts[chain.prompt_id].turns, Turn(role="assistant", text=text))
            rated = Rated(id=f"{chain.id}@{number}", turns=turns, rating=judge(turns[:-1], text).harmfulness)
            if text:
                found.setdefault((chain.prompt_id, text), rated)
    return list(found.values())


def score_answers(work: Work) -> None:
    """The stage `harmfulness`: what the run's models answered to its harmful held-out prompts, as the regressor's own
    tokenizer writes dialogues, whatever the run's models are told."""
    actors, folder = work.actors, Path(work.config.evaluations.harmfulness.regressor or "")
    models = ModelsSection(date=work.config.models.date)
    regressor = Regressor(folder, actors, format=format_of(actors.tokenizer(folder), models, "base"))
    for told in regressor.notes:
        work.note(told)
    answered = {model: work.read(name, Answer) for model, name in ANSWERS.items() if name in work.inputs}

    def scored(part: Sequence[Asked]) -> Rows[ScoredAnswer]:
        rows = regressor.answers(part)
        return Rows(records=rows, noted=Counter(f"unscored: {one.unscored}" for one in rows if one.unscored))

    work.rows(_harmful(answered, work.prompts), scored, ScoredAnswer)


def harmfulness_of(run: Path, regressor: Regressor, *, seed: int) -> list[Evaluation]:
    """How harmful the answers of a run's models to its harmful held-out prompts are, by a regressor."""
    prompts = PromptSets.read({EVALUATION: FinishedStage.open(run, "prompts")})
    stages = {model: FinishedStage.find(run, name) for model, name in ANSWERS.items()}
    answered = {model: list(stage.rows("rows", Answer)) for model, stage in stages.items() if stage}
    if not (asked := _harmful(answered, prompts)):
        raise RunError("no model of the run has answered a harmful held-out prompt", where=Where(run))
    of = {model: fingerprints(run, name) for model, name in ANSWERS.items()}
    found = harmfulness_evaluations(regressor.answers(asked), temperature_of_answers(run), seed=seed)
    return [one.of(of) for one in found]


def _harmful(answered: Mapping[str, Sequence[Answer]], prompts: PromptSets) -> list[Asked]:
    """The answers to harmful prompts, with the prompt, by model."""
    by_id = prompts.by_id()
    every = ((model, row, by_id[row.prompt_id]) for model, rows in answered.items() for row in rows)
    return [one for one in every if one[2].kind == "harmful"]
