"""From chains of revisions, and from helpful answers, to what supervised finetuning imitates (CAI section 3.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from solon.feedback.made import Made
from solon.records import Answer, Demonstration, Revision


def revision_demonstrations(chains: Sequence[Revision], rounds: Literal["all", "last"]) -> Made[Demonstration]:
    """The revisions of all rounds, or the last in the place of each, as targets.

    With either, a chain gives as many targets as it has revisions that are not empty: what `last` changes is what is
    imitated, not how much of the training it is. Example: of revisions r1, nothing, r3, `all` makes r1 and r3, and
    `last` makes r3 twice.

    First answers and critiques are never targets. Empty revisions are dropped and counted. Cut-off revisions are
    targets without an end, and noted.
    """
    targets = []
    dropped: Counter[str] = Counter()
    for chain in chains:
        said = [(number, step) for number, step in enumerate(chain.rounds, start=1) if step.revision]
        dropped["empty revision"] += len(chain.rounds) - len(said)
        for number, step in said:
            source, shown = (number, step) if rounds == "all" else said[-1]
            targets.append(
                Demonstration(
                    id=f"{chain.id}-{number}",
                    prompt_id=chain.prompt_id,
                    answer=shown.revision,
                    source=f"revision-{source}",
                    finished=shown.finished,
                )
            )
    return _targets(targets, dropped)


def helpful_demonstrations(answers: Sequence[Answer]) -> Made[Demonstration]:
    """The assistant's own answers to benign prompts as targets, but for empty ones; cut-off ones are noted."""
    targets = [
        Demonstration(
            id=answer.id,
            prompt_id=answer.prompt_id,
            answer=answer.text,
            source="helpful",
            finished=answer.finished,
        )
        for answer in answers
        if answer.text
    ]
    return _targets(targets, Counter({"empty answer": len(answers) - len(targets)}))


def _targets(targets: Sequence[Demonstration], dropped: Counter[str]) -> Made[Demonstration]:
    unfinished = sum(not target.finished for target in targets)
    return Made(records=tuple(targets), dropped=+dropped, noted=+Counter({"unfinished target": unfinished}))
