"""From chains of revisions, and from helpful answers, to what supervised finetuning imitates (CAI section 3.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from solon.feedback.made import Made
from solon.records import Answer, Demonstration, Revision


def revision_demonstrations(chains: Sequence[Revision], rounds: Literal["all", "last"]) -> Made[Demonstration]:
    """The revisions of all rounds, or of the last one that went well, as targets.

    First answers and critiques are never targets. Rounds that went wrong are not either; with `all` each counts as
    dropped, with `last` a chain in which every round went wrong does.
    """
    targets = []
    dropped: Counter[str] = Counter()
    for chain in chains:
        good = [(n, step.revision) for n, step in enumerate(chain.rounds, start=1) if step.finished]
        if rounds == "all":
            dropped["unusable revision"] += len(chain.rounds) - len(good)
        elif not good:
            dropped["no usable revision"] += 1
        targets += [
            Demonstration(
                id=f"{chain.id}-{number}", prompt_id=chain.prompt_id, answer=text, source=f"revision-{number}"
            )
            for number, text in (good if rounds == "all" else good[-1:])
        ]
    return Made(records=tuple(targets), dropped=+dropped)


def helpful_demonstrations(answers: Sequence[Answer]) -> Made[Demonstration]:
    """The assistant's own answers to benign prompts as targets, but for empty and cut-off ones."""
    dropped: Counter[str] = Counter()
    targets = []
    for answer in answers:
        if not answer.text:
            dropped["empty answer"] += 1
        elif not answer.finished:
            dropped["unfinished answer"] += 1
        else:
            targets.append(
                Demonstration(id=answer.id, prompt_id=answer.prompt_id, answer=answer.text, source="helpful")
            )
    return Made(records=tuple(targets), dropped=dropped)
