"""The models of a run that other engines go on from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from solon.artifacts.finished import FinishedStage, redo_hint
from solon.artifacts.reuse import link_or_copy
from solon.artifacts.run_folder import run_config
from solon.errors import RunError, Where
from solon.export.chat import TEMPLATE, chat_template
from solon.export.sets import SL
from solon.models.where import hub_model, model_folder

POLICY, REWARD_MODEL = "policy", "reward-model"
"""What the folders are called: SL-CAI, which RL starts from, and the preference model."""
STAGES = {POLICY: SL, REWARD_MODEL: "models/pm"}
_FOLDER = "model/"
_HEAD = "ForSequenceClassification"


class RunModels:
    """SL-CAI and, where the run has come so far, the preference model."""

    def __init__(self, run: Path):
        """Raises `RunError` if a file of a model is not what its stage made, or the preference model is none that
        other engines can score with."""
        found = {name: FinishedStage.find(run, stage) for name, stage in STAGES.items()}
        self._stages = {name: stage for name, stage in found.items() if stage and _files(stage)}
        self._base = run_config(run).models.role("base")
        if faults := [fault for stage in self._stages.values() for fault in stage.faults(*_files(stage))]:
            raise RunError(faults)
        if REWARD_MODEL in self._stages:
            _require_head(self._stages[REWARD_MODEL])

    @property
    def names(self) -> tuple[str, ...]:
        """Which of the two there are."""
        return tuple(self._stages)

    @property
    def base(self) -> str:
        """What the run's own trainings started from: its name on the Hub, or its folder."""
        model = hub_model(self._base.path)
        return model.repo if model else str(model_folder(self._base.path).resolve())

    def bring(self, into: Path) -> None:
        """Links or copies each into a folder of its name, with a chat template that writes dialogues as the run did."""
        plain = self._base.dialogue == "human-assistant"
        for name, stage in self._stages.items():
            for file in _files(stage):
                target = into / name / file.removeprefix(_FOLDER)
                target.parent.mkdir(parents=True, exist_ok=True)
                link_or_copy(stage.path(file), target)
            (into / name / TEMPLATE).write_text(chat_template(into / name, plain=plain), encoding="utf-8")


def _files(stage: FinishedStage) -> Sequence[str]:
    return [name for name in stage.manifest.outputs if name.startswith(_FOLDER)]


def _require_head(stage: FinishedStage) -> None:
    path = stage.path(f"{_FOLDER}config.json")
    names = json.loads(path.read_text(encoding="utf-8")).get("architectures") or ["nothing"]
    if not names[0].endswith(_HEAD):
        what = f"a preference model that Solon alone reads, saved as {names[0]}: others need one of a class ...{_HEAD}"
        again = f"if an older version made it, {redo_hint(stage.run, stage.manifest.stage)}"
        hint = f"export the data alone with --no-models, or, {again}"
        raise RunError(what, where=Where(path), hint=hint)
