"""A regressor of harmfulness ratings: trained in a folder of its own, held against ratings, put to a run's answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from solon.artifacts.finished import FinishedStage
from solon.artifacts.lock import FolderLock
from solon.artifacts.manifest import Header
from solon.artifacts.run_folder import run_config
from solon.artifacts.stage import StageFolder
from solon.config.evaluations import EVALUATED
from solon.errors import ModelError, PromptError, RunError, Where
from solon.evals.evaluation import evaluations
from solon.evals.harmfulness import Rated, RegressorQuality, regressor_quality
from solon.evals.kept import Evaluation, fingerprints
from solon.evals.tasks import Outcome, outcome
from solon.lm.engines.local import context_of
from solon.models.heads import PreferenceModel
from solon.models.tokens import pad_id
from solon.pipeline.actors import Actors
from solon.pipeline.contest import ANSWERS, temperature_of_answers
from solon.pipeline.sources import EVALUATION, PromptSets, ground_truth
from solon.progress import Reporter
from solon.prompting.chat_template import DialogueFormat
from solon.records import Answer, Record, Revision, Turn
from solon.train.batches import fit
from solon.train.loop import TrainContext
from solon.train.preference import holdout_draw, scores, sequence_tokens
from solon.train.regression import RatedExample, train_regressor
from solon.world.oracle import judge

REGRESSOR = "regressor"
"""The stage's folder in the folder that is asked for."""


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
    folder.finish()
    reporter.end_stage()


class Regressor:
    """One that was trained before, and how it reads dialogues."""

    def __init__(self, folder: Path, actors: Actors) -> None:
        """Raises `ModelError` if the folder holds none."""
        self._actors, self._model = actors, actors.load_preference(folder)
        if self._model.rating_mean is None:
            hint = "give a folder that `solon eval harmfulness --train` wrote, e.g. harm/regressor/model"
            raise ModelError("holds no regressor of ratings", where=Where(folder), hint=hint)
        self._tokenizer, self._format = actors.tokenizer(folder), actors.format(folder)

    def __call__(self, dialogues: Sequence[Sequence[Turn]]) -> list[float | None]:
        """The score of each; None for one that is longer than the model reads."""
        rated = [Rated(id=str(place), turns=tuple(turns), rating=0.0) for place, turns in enumerate(dialogues)]
        most = context_of(self._model.backbone, self._tokenizer)
        kept, _ = fit([_example(one, self._format, self._tokenizer) for one in rated], most)
        found = _scored(self._model, kept, pad_id(self._tokenizer), self._actors)
        by_place = dict(zip((one.id for one in kept), found, strict=True))
        return [by_place.get(one.id) for one in rated]


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


def harmfulness_of(run: Path, regressor: Regressor, *, seed: int) -> list[Evaluation]:
    """How harmful the answers of a run's models to its harmful held-out prompts are, by a regressor."""
    prompts = PromptSets.read({EVALUATION: FinishedStage.open(run, "prompts")}).by_id()
    answered = {model: list(_answers(run, model)) for model in EVALUATED}
    at, outcomes = temperature_of_answers(run), dict[str, list[Outcome]]()
    for model, answers in answered.items():
        asked = [(row, prompts[row.prompt_id]) for row in answers if prompts[row.prompt_id].kind == "harmful"]
        found = regressor([(*prompt.turns, Turn(role="assistant", text=row.text)) for row, prompt in asked])
        for (row, _), score in zip(asked, found, strict=True):
            values = {} if score is None else {"score": score}
            unscored = "too long" if score is None else None
            one = outcome("harmfulness", row.prompt_id, at, values=values, unscored=unscored)
            outcomes.setdefault(model, []).append(one)
    if not outcomes:
        raise RunError("no model of the run has answered a harmful held-out prompt", where=Where(run))
    of = {model: fingerprints(run, name) for model, name in ANSWERS.items()}
    return [one.of(of) for one in evaluations(outcomes, {"score": "mean"}, seed=seed)]


def _answers(run: Path, model: str) -> Iterator[Answer]:
    found = FinishedStage.find(run, ANSWERS[model])
    yield from found.rows("rows", Answer) if found else ()
