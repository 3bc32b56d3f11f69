"""From chains of revisions, and from helpful answers, to what supervised finetuning imitates (CAI section 3.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from solon.feedback.made import Made
from solon.records import Answer, Demonstration, Revision


def revision_demonstrations(chains: Sequence[Revision], rounds: Literal["all", "last"]) -> Made[Demonstration]:
    """The revisions of all rounds, or the last one that is not empty, as targets.

    First answers and critiques are never targets. Empty revisions are not either: with `all` each counts as dropped,
    with `last` a chain that has no other does. Cut-off revisions are targets without an end, and noted.
    """
    targets = []
    dropped: Counter[str] = Counter()
    for chain in chains:
        said = [(number, step) for number, step in enumerate(chain.rounds, start=1) if step.revision]
        if rounds == "all":
            dropped["empty revision"] += len(chain.rounds) - len(said)
        elif not said:
            dropped["no revision"] += 1
        targets += [
            Demonstration(
                id=f"{chain.id}-{number}",
                prompt_id=chain.prompt_id,
                answer=step.revision,
                source=f"revision-{number}",
                finished=step.finished,
            )
            for number, step in (said if rounds == "all" else said[-1:])
        ]
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
