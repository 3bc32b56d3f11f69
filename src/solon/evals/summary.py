"""`summary.json`: the result of a run, documented in docs/formats/summary.md."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from solon.artifacts.atomic import canonical_json
from solon.errors import OTHER_VERSION, Fault, RunError, Where
from solon.evals.estimates import Estimate, Evidence
from solon.evals.grader import HELD_OUT
from solon.evals.labels import Labels
from solon.evals.preference import PreferenceQuality
from solon.evals.quality import TextQuality
from solon.evals.rollouts import RL
from solon.evals.stopping import Monitoring

FORMAT: Final = 2
NO_TRUTH = "there is no ground truth for these prompts, so only what can be counted is reported"


class Summary(Evidence):
    """What a run achieved. Intervals are 95%; `null` means not measured, never zero."""

    format: Literal[2] = FORMAT
    name: str
    """The run file's name for itself."""
    seed: int
    pipeline_seconds: float
    """Wall time of the stages, over all interruptions; without installation."""
    grader: str | None
    """The grader with ground truth, e.g. `oracle`."""
    ungraded: str | None
    """Why there is none, else null."""
    labels: Labels | None = None
    preference_model: PreferenceQuality | None = None
    rl: RL | None = None
    monitor: Annotated[Monitoring | None, Field(exclude_if=lambda found: found is None)] = None
    """None: nothing looked at RL from outside. The file then does not have it."""
    texts: tuple[TextQuality, ...] = ()
    """How poor the texts of each stage are as texts, in the order of the stages."""

    @model_validator(mode="after")
    def _graded_or_not(self) -> Self:
        if (self.grader is None) == (self.ungraded is None):
            raise ValueError("a summary names either its grader or the reason it has none")
        return self

    def of(self, *, task: str = HELD_OUT, kind: str | None = None, measure: str | None = None) -> list[Estimate]:
        """The estimates of a task, and among them of one kind or one measure; models in their order."""
        return [
            one
            for one in self.estimates
            if one.task == task and kind in (None, one.kind) and measure in (None, one.measure)
        ]

    def models(self, task: str = HELD_OUT) -> list[str]:
        """The models that have answered, in their order."""
        return list(dict.fromkeys(one.model for one in self.of(task=task)))


def summary_json(summary: Summary) -> str:
    """The text of the file: indented, ending with a newline, the same for the same summary."""
    return canonical_json(summary, indent=2).decode()


def read_summary(path: Path) -> Summary:
    """Reads a summary.json; a `RunError` says what is wrong with it."""
    try:
        return Summary.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        hint = "the run has not finished: continue it with `solon resume`"
        raise RunError(Fault("there is no summary here", Where(path), hint)) from None
    except ValidationError as error:
        raise RunError(_faults(error, path)) from None


def _faults(error: ValidationError, path: Path) -> list[Fault]:
    found = error.errors()
    for one in found:
        if one["loc"] == ("format",):
            what = f"it has format {one['input']}; this version reads format {FORMAT}"
            return [Fault(what, Where(path), OTHER_VERSION)]
    return [Fault(f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}", Where(path)) for one in found]
