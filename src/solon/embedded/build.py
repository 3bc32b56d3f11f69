"""From a seed to a model folder with its card: what `solon embedded pretrain` and `solon embedded skills` do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from solon.artifacts.atomic import canonical_json, write_atomic
from solon.artifacts.checkpoint import Checkpoints
from solon.artifacts.lock import LOCK_NAME, FolderLock
from solon.artifacts.manifest import Tally, differences
from solon.embedded.card import Card, write_card
from solon.embedded.corpus import corpus_hash
from solon.embedded.pretrain import PretrainState, build_model, pretrain
from solon.embedded.recipe import Part, PretrainConfig
from solon.embedded.skills import Measurements, measure_all
from solon.embedded.tokenizer import train_tokenizer
from solon.errors import Fault, ModelError, RunError, Where
from solon.lm.engines.local import LocalModel
from solon.models.allocator import keep_freed_memory
from solon.models.load import load_model, save_model
from solon.progress import Reporter
from solon.prompting.dialogue import HumanAssistant
from solon.records import Record

MEASUREMENTS = 8
"""Holdouts and kinds of prompt: what `measure_all` says it has done."""


class PretrainInputs(Record):
    """`begun.json` in the working folder: what a pretraining in progress is a function of."""

    recipe: PretrainConfig
    corpus_sha256: str


def build(out: Path, recipe: PretrainConfig, *, threads: int | None, samples: int, reporter: Reporter) -> Card:
    """Teach a model, measure it, and put it into the folder `out` with its card.

    Until all is done the work lies beside `out` in a hidden folder, from which a killed call goes on. `threads` are
    torch's, None its own choice; `samples` as in `measure_all`, 0 leaves the skills unmeasured.

    Raises:
        ModelError: if `out` is there already.
        RunError: if the work cannot be kept, or was begun from another recipe.
        DivergedError: if the loss is no longer a number.
    """
    if out.exists():
        raise ModelError("there is something already", where=Where(out), hint="choose a new folder with -o")
    keep_freed_memory()
    if threads is not None:
        torch.set_num_threads(threads)
    with _working_folder(out, recipe) as work:
        read = _teach(work, recipe, reporter)
        model = work / recipe.parts()[-1]
        card = write_card(
            model,
            recipe=recipe,
            seconds=sum(part.seconds for part in read),
            tokens=sum(part.tokens for part in read),
            threads=torch.get_num_threads(),
            measured=measure_folder(model, samples=samples, reporter=reporter) if samples else None,
        )
        model.rename(out)
        shutil.rmtree(work)
    return card


def measure_folder(folder: Path, *, samples: int, reporter: Reporter, seed: int = 1) -> Measurements:
    """Every skill of the model in `folder`, in float32. Raises `ModelError` if it cannot be loaded."""
    model = LocalModel(load_model(folder, dtype=torch.float32, device="cpu"), HumanAssistant())
    reporter.stage("skills", MEASUREMENTS)
    return measure_all(model, seed=seed, samples=samples, done=partial(reporter.advance, 1, 0))


def _teach(work: Path, recipe: PretrainConfig, reporter: Reporter) -> list[PretrainState]:
    """Pretrain on every part of the corpus; where each ended. The model after it is in a folder of the part's name."""
    tokenizer, ends = train_tokenizer(recipe.seed), list[PretrainState]()
    try:
        for part in recipe.parts():
            ends.append(_read(work, recipe, part, tokenizer, reporter))
    except RunError as error:  # of storage and checkpoints, whose own hints speak of `solon resume`
        hint = f"mend that and give the same command again; to begin afresh, delete {work}"
        raise RunError([Fault(fault.what, fault.where, hint) for fault in error.faults]) from error
    return ends


def _read(
    work: Path, recipe: PretrainConfig, part: Part, tokenizer: PreTrainedTokenizerFast, reporter: Reporter
) -> PretrainState:
    """A part of the corpus, from the model of the part before, unless that is done."""
    done = work / f"{part}.json"
    if done.exists():
        return PretrainState(**json.loads(done.read_bytes()))
    before = recipe.parts()[: recipe.parts().index(part)]
    model = _loaded(work / before[-1]) if before else build_model(recipe, tokenizer)
    report = _Report(recipe, part, reporter)
    checkpoints = Checkpoints(work / f"{part}-checkpoints", run=work, tally=Tally(), committed=lambda: None)
    pretrain(model, recipe, part, tokenizer, report, checkpoints)
    shutil.rmtree(work / part, ignore_errors=True)
    save_model(model, tokenizer, work / part)
    write_atomic(done, canonical_json(vars(report.last)))
    return report.last


def _loaded(folder: Path) -> LlamaForCausalLM:
    model = load_model(folder, dtype=torch.float32, device="cpu").model
    assert isinstance(model, LlamaForCausalLM)
    return model


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
        inputs = PretrainInputs(recipe=recipe, corpus_sha256=corpus_hash(recipe.seed))
        path = work / "begun.json"
        if not path.exists():
            write_atomic(path, canonical_json(inputs))
        before = PretrainInputs.model_validate_json(path.read_bytes())
        if changes := differences(before.model_dump(mode="json"), inputs.model_dump(mode="json")):
            what = f"a pretraining was begun here from another recipe: {changes}"
            raise RunError(what, where=Where(work), hint="put it back, or delete that folder to begin again")
        yield work
    finally:
        lock.release()
        if work.is_dir() and {path.name for path in work.iterdir()} <= {LOCK_NAME}:
            shutil.rmtree(work)


class _Report:
    """Tells a reporter how far pretraining has come. A row is a batch's worth of tokens."""

    def __init__(self, recipe: PretrainConfig, part: Part, reporter: Reporter) -> None:
        self._batch, self._part, self._reporter = recipe.batch_tokens, part, reporter
        self.last = PretrainState()
        reporter.stage(f"{part} (rows are batches)", -(-recipe.tokens(part) // recipe.batch_tokens))

    def __call__(self, now: PretrainState) -> None:
        before, self.last = self.last, now
        rows = now.tokens // self._batch - before.tokens // self._batch
        if now.step > before.step + 1:
            self._reporter.recovered(rows)
            return
        self._reporter.advance(rows, now.tokens - before.tokens)
        if now.chunk != before.chunk:
            self._reporter.note(f"{self._part}: {now.tokens / 1e6:.2f} million tokens, loss {now.loss:.3f}")
