"""From a seed to a model folder with its card: what `solon embedded pretrain` and `solon embedded skills` do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from solon.artifacts.atomic import canonical_json, write_atomic
from solon.artifacts.checkpoint import Checkpoints
from solon.artifacts.lock import LOCK_NAME, FolderLock
from solon.artifacts.manifest import Tally, differences
from solon.embedded.card import Card, write_card
from solon.embedded.corpus import corpus_hash
from solon.embedded.pretrain import Standing, pretrain
from solon.embedded.recipe import PretrainConfig, command_of
from solon.embedded.skills import Measured, measure_all
from solon.embedded.tokenizer import train_tokenizer
from solon.errors import Fault, ModelError, RunError, Where
from solon.lm.engines.local import LocalModel
from solon.models.load import load_model, save_into
from solon.models.runtime import prepare_cpu
from solon.progress import Reporter
from solon.prompting.dialogue import HumanAssistant
from solon.records import Record

MEASUREMENTS = 8
"""Holdouts and kinds of prompt: what `measure_all` says it has done."""


class Begun(Record):
    """`begun.json` in the working folder: what a pretraining in progress is a function of."""

    recipe: PretrainConfig
    corpus_sha256: str


def build(out: Path, recipe: PretrainConfig, *, threads: int | None, samples: int, reporter: Reporter) -> Card:
    """Teach a model, measure it, and put it into the folder `out` with its card.

    Until all is done the work lies beside `out` in a hidden folder, from which a killed call goes on.

    Args:
        threads: of torch; None: as many as torch takes by itself.
        samples: see `measure_all`; 0 leaves the skills unmeasured.

    Raises:
        ModelError: if `out` is there already.
        RunError: if the work cannot be kept, or was begun from another recipe.
        DivergedError: if the loss is no longer a number.
    """
    if out.exists():
        raise ModelError("there is something already", where=Where(out), hint="choose a new folder with -o")
    prepare_cpu()
    if threads is not None:
        torch.set_num_threads(threads)
    with _working_folder(out, recipe) as work:
        last = _teach(work, recipe, reporter)
        measured = measure_folder(work / "model", samples=samples, reporter=reporter) if samples else None
        card = write_card(
            work / "model",
            config=recipe,
            seconds=last.seconds,
            tokens=last.total_tokens,
            command=command_of(recipe, torch.get_num_threads()),
            threads=torch.get_num_threads(),
            skills=measured,
        )
        (work / "model").rename(out)
        shutil.rmtree(work)
    return card


def measure_folder(folder: Path, *, samples: int, reporter: Reporter, seed: int = 1) -> Measured:
    """Every skill of the model in a folder, in float32.

    Raises:
        ModelError: if it cannot be loaded.
    """
    model = LocalModel(load_model(folder, dtype=torch.float32, device="cpu"), HumanAssistant())
    reporter.stage("skills", MEASUREMENTS)
    return measure_all(model, seed=seed, samples=samples, done=lambda name: reporter.advance(1, 0))


def _teach(work: Path, recipe: PretrainConfig, reporter: Reporter) -> Standing:
    """Pretrain and save into `work/model`; where the training stood at its end."""
    tokenizer = train_tokenizer(recipe.seed)
    told = _Told(recipe, reporter)
    checkpoints = Checkpoints(work / "checkpoints", run=work, tally=Tally(), committed=lambda: None)
    with _own_hints(work):
        model = pretrain(recipe, tokenizer, told, checkpoints)
    shutil.rmtree(work / "model", ignore_errors=True)
    save_into(model, tokenizer, work / "model")
    assert told.last is not None, "pretraining reports at least once"
    return told.last


@contextmanager
def _working_folder(out: Path, recipe: PretrainConfig) -> Iterator[Path]:
    """The locked folder of a pretraining in progress, new or from before a kill."""
    work = out.with_name(f".{out.name}.pretraining")
    try:
        work.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(work)
    except OSError as error:
        raise RunError(f"cannot write {work}: {error.strerror}", hint="choose another folder with -o") from error
    try:
        begun = Begun(recipe=recipe, corpus_sha256=corpus_hash(recipe.seed))
        path = work / "begun.json"
        if path.exists():
            before = Begun.model_validate_json(path.read_bytes())
            if before != begun:
                what = f"a pretraining was begun here from another recipe: {_changes(before, begun)}"
                raise RunError(what, where=Where(work), hint="put it back, or delete that folder to begin again")
        else:
            write_atomic(path, canonical_json(begun))
        yield work
    finally:
        lock.release()
        if work.is_dir() and {path.name for path in work.iterdir()} <= {LOCK_NAME}:
            shutil.rmtree(work)


def _changes(before: Begun, now: Begun) -> str:
    return differences(before.model_dump(mode="json"), now.model_dump(mode="json"))


@contextmanager
def _own_hints(work: Path) -> Iterator[None]:
    """Faults of storage and checkpoints, with what helps here; their own hints speak of `solon resume`."""
    try:
        yield
    except RunError as error:
        hint = f"mend that and give the same command again; to begin afresh, delete {work}"
        raise RunError([Fault(fault.what, fault.where, hint) for fault in error.faults]) from error


class _Told:
    """Passes on to a reporter how pretraining stands. A row is a batch's worth of tokens."""

    def __init__(self, recipe: PretrainConfig, reporter: Reporter) -> None:
        self.recipe, self.reporter = recipe, reporter
        self.last: Standing | None = None

    def __call__(self, now: Standing) -> None:
        before, self.last = self.last, now
        batch, whole = {
            "copy": (self.recipe.copy_batch_tokens, self.recipe.copy_tokens),
            "corpus": (self.recipe.batch_tokens, self.recipe.corpus_tokens),
            "judging": (self.recipe.batch_tokens, self.recipe.judging_tokens),
            "practice": (self.recipe.batch_tokens, self.recipe.practice_tokens),
        }[now.stage]
        if before is None or before.stage != now.stage:
            self.reporter.stage(f"{now.stage} (rows are batches)", -(-whole // batch))
            self.reporter.recovered(now.tokens // batch)
            return
        self.reporter.advance(now.tokens // batch - before.tokens // batch, now.tokens - before.tokens)
        if now.chunk != before.chunk:
            self.reporter.note(f"{now.stage}: {now.tokens / 1e6:.2f} million tokens, loss {now.loss:.3f}")
