"""Whether a training learnt from a row: exact where the rows and the manifest say so."""

from __future__ import annotations

from solon.evals.stopping import Ending
from solon.pipeline.grading import HeldOutMargin
from solon.records import Comparison, Rollout
from solon.report.lineage.records import Link
from solon.report.lineage.rows import Row, RunRows

AMONG = "was among what trained"
KEPT_OUT = "kept out for early stopping"


def learnt(rows: RunRows, row: Row, folder: str) -> tuple[Link, str] | None:
    """The link from a row to a trained model. None: it has no label, so nothing was learnt from it."""
    stage = rows.stages[folder]
    record, facts = row.record, stage.manifest.facts
    if isinstance(record, Rollout) and (ending := facts.get("ending")):
        late = record.step > Ending.model_validate(ending).kept
        return "exact", "was sampled after the step whose weights were kept:" if late else AMONG
    if isinstance(record, Comparison):
        if record.p_a_preferred is None:
            return None
        if any(one.id == row.id for one in stage.rows("held-out", HeldOutMargin)):
            return "exact", "was kept out of training, to measure the model:"
    if row.kind != "rollout" and (
        stage.manifest.counts.other.get(KEPT_OUT) or stage.manifest.counts.dropped.get("too long")
    ):
        return "association", "was given to the training, which left some out, of"
    return "exact", AMONG
