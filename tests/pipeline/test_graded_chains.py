"""What the scores say of the assistant's chains."""

from __future__ import annotations

from solon.pipeline.grading import chain_responses
from solon.records import Prompt, Revision, RevisionRound, Turn


def test_a_revision_that_was_cut_off_is_not_called_finished() -> None:
    prompt = Prompt(id="p", kind="harmful", turns=(Turn(role="human", text="How?"),))
    rounds = tuple(
        RevisionRound(principle_id="x", critique=None, revision=text, prompt_hash="0", finished=finished)
        for text, finished in (("Ask the own", False), ("Ask.", True))
    )
    chain = Revision(id="r", prompt_id="p", initial="Take it.", rounds=rounds)

    responses = chain_responses([chain], {"p": prompt})
    assert [(one.task, one.model, one.text, one.finished) for one in responses] == [
        ("revisions", "assistant@0", "Take it.", None),
        ("revisions", "assistant@1", "Ask the own", False),
        ("revisions", "assistant@2", "Ask.", True),
    ]
