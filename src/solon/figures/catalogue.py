"""All experiments, in the order of the page."""

from __future__ import annotations

from collections.abc import Sequence

from solon.errors import UserError
from solon.figures.experiment import Experiment
from solon.figures.experiments import training
from solon.figures.experiments.algorithms import ALGORITHMS
from solon.figures.experiments.identification import CALIBRATED_LABELS, HARDER, HARM_AND_KIND, ORIGINAL
from solon.figures.experiments.labels import LABELS
from solon.figures.experiments.over_training import OVER_TRAINING
from solon.figures.experiments.revisions import CRITIQUED_OR_DIRECT, MORE_PRINCIPLES, MORE_REVISIONS
from solon.text import did_you_mean

EXPERIMENTS: tuple[Experiment, ...] = (
    training.FRONTIER,
    training.BY_SIZE,
    HARDER,
    MORE_REVISIONS,
    MORE_PRINCIPLES,
    CRITIQUED_OR_DIRECT,
    training.ALONG_TRAINING,
    CALIBRATED_LABELS,
    training.ABSOLUTE,
    ORIGINAL,
    HARM_AND_KIND,
    LABELS,
    ALGORITHMS,
    OVER_TRAINING,
)


def chosen(keys: Sequence[str]) -> list[Experiment]:
    """Those with these keys, in their order; without keys all. Raises `UserError` of a key that none has."""
    known = {one.key: one for one in EXPERIMENTS}
    for key in keys:
        if key not in known:
            hint = did_you_mean(key, known) or f"there are: {', '.join(known)}"
            raise UserError(f"no figure is called {key}", hint=hint)
    return [one for one in EXPERIMENTS if not keys or one.key in keys]
