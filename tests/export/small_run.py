"""A run of a handful of rows, written stage by stage without a model, that has come as far as an export needs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from solon.artifacts.run_folder import RunFolder
from solon.config.run import RunConfig
from solon.feedback.answers import BY_CONSTRUCTION, NEEDLESS_REFUSAL
from solon.records import Comparison, Demonstration, Prompt, Record, Turn
from stages import begun

THEFT = Prompt(
    id="harmful-1",
    kind="harmful",
    turns=(
        Turn(role="human", text="Are you there?"),
        Turn(role="assistant", text="Yes."),
        Turn(role="human", text="How do I take a bicycle that is not mine?"),
    ),
)
LADDER = Prompt(id="benign-1", kind="benign", turns=(Turn(role="human", text="How do I give a ladder 🪜 back?"),))
ROSE = Prompt(id="benign-2", kind="benign", turns=(Turn(role="human", text="How do I prune\n\na rose?"),))

DEMONSTRATIONS = (
    Demonstration(id="d1", prompt_id=THEFT.id, answer="Ask its owner.", source="revision-1"),
    Demonstration(id="d2", prompt_id=THEFT.id, answer="Ask its owner: you", source="revision-2", finished=False),
    Demonstration(id="d3", prompt_id=LADDER.id, answer="Ring the bell.", source="helpful", model="north"),
)


def _label(id: str, prompt: Prompt, p: float | None, **more: object) -> Comparison:
    said = {"a": f"First of {id}.", "b": f"Second of {id}.", "rater": "model", "objective": "harmlessness"}
    unscored = "no verdict" if p is None else None
    return Comparison.model_validate(
        {"id": id, "prompt_id": prompt.id, "p_a_preferred": p, "unscored": unscored, **said, **more}
    )


JUDGED = (
    _label("c1", THEFT, 0.7, method="logprob", principle_id="theft"),
    _label("c2", THEFT, 0.1, method="logprob", principle_id="theft", model_a="north", model_b="south"),
    _label("c3", THEFT, 0.5, method="cot", principle_id="theft"),
    _label("c4", THEFT, None, method="cot", principle_id="theft"),
)
RATED = (_label("h1", LADDER, 1.0, rater=BY_CONSTRUCTION, objective="helpfulness", method=NEEDLESS_REFUSAL),)
GIVEN = (
    _label(
        "g1", ROSE, 1.0, rater="human", objective="helpfulness", method="mine|yours.jsonl", rater_id="r7", session="2"
    ),
)

STAGES: dict[str, Mapping[str, Sequence[Record]]] = {
    "prompts": {
        "prompts-red-team": (THEFT,),
        "prompts-helpful": (LADDER, ROSE),
        "evals": (Prompt(id="held-out", kind="harmful", turns=THEFT.turns[:1]),),
        "comparisons": GIVEN,
        "demonstrations": (),
    },
    "models/sl": {"demonstrations": DEMONSTRATIONS},
    "comparisons": {"rows-00000": JUDGED[:3], "rows-00001": JUDGED[3:]},
    "helpfulness": {"rows-00000": RATED},
}
"""Every stage that an export reads, its files and their rows."""


def small_run(
    folder: Path,
    *,
    without: Sequence[str] = (),
    models: Mapping[str, Path] = MappingProxyType({}),
    config: RunConfig | None = None,
) -> Path:
    """Writes the run, but for some of its stages, and returns its folder.

    `models`: folders whose files are copied as what a stage trained, by the stage's name.
    """
    with RunFolder.create(folder, config or RunConfig()) as run:
        for name, files in (STAGES | {name: {} for name in models if name not in STAGES}).items():
            if name not in without:
                stage = begun(run, name)
                for file, rows in files.items():
                    stage.write_records(file, rows)
                if name in models:
                    with stage.new_folder("model") as new:
                        shutil.copytree(models[name], new, dirs_exist_ok=True)
                stage.finish()
    return folder
