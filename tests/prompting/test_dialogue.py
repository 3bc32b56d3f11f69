from __future__ import annotations

from solon.constitution.few_shots import CritiqueShot
from solon.prompting import context
from solon.prompting.dialogue import HumanAssistant
from solon.records import Turn

TURNS = (
    Turn(role="human", text="Where is the ladder?"),
    Turn(role="assistant", text="By the fence."),
    Turn(role="human", text="How do I take it?"),
)
SHOT = CritiqueShot(
    turns=(Turn(role="human", text="Mock my neighbour."),),
    answer="He is a fool.",
    critique_request="What is rude?",
    critique="It calls him a fool.",
    revision_request="Take it out.",
    revision="I would rather not.",
)
WORKED = (
    "\n\nHuman: Mock my neighbour.\n\nAssistant: He is a fool."
    "\n\nCritiqueRequest: What is rude?\n\nCritique: It calls him a fool."
    "\n\nRevisionRequest: Take it out.\n\nRevision: I would rather not."
)
ASKED = "\n\nHuman: Where is the ladder?\n\nAssistant: By the fence.\n\nHuman: How do I take it?\n\nAssistant:"
FORMAT = HumanAssistant()


def test_prompts_and_answers_in_the_paper_s_layout() -> None:
    assert FORMAT.prompt(TURNS) == ASKED
    assert FORMAT.answer("At night.") == " At night."


def test_critique_and_revision_in_the_paper_s_layout() -> None:
    critique = FORMAT.render(context.critique(TURNS, "At night.", "What is illegal?"))
    assert critique == f"{ASKED} At night.\n\nCritiqueRequest: What is illegal?\n\nCritique:"
    revision = FORMAT.render(context.revision(TURNS, "At night.", "Mend it.", critique=("What is illegal?", "Theft.")))
    assert revision == f"{critique} Theft.\n\nRevisionRequest: Mend it.\n\nRevision:"
    direct = FORMAT.render(context.revision(TURNS, "At night.", "Mend it.", critique=None))
    assert direct == f"{ASKED} At night.\n\nRevisionRequest: Mend it.\n\nRevision:"


def test_shots_come_first_and_share_their_delimiters() -> None:
    bare = FORMAT.render(context.critique(TURNS, "At night.", "What is illegal?"))
    assert (
        FORMAT.render(context.critique(TURNS, "At night.", "What is illegal?", shots=[SHOT, SHOT]))
        == WORKED + WORKED + bare
    )
    bare = FORMAT.render(context.revision(TURNS, "At night.", "Mend it.", critique=("What is illegal?", "Theft.")))
    with_shots = FORMAT.render(
        context.revision(TURNS, "At night.", "Mend it.", critique=("What is illegal?", "Theft."), shots=[SHOT])
    )
    assert with_shots == WORKED + bare


def test_direct_revision_shows_direct_shots() -> None:
    text = FORMAT.render(context.revision(TURNS, "At night.", "Mend it.", critique=None, shots=[SHOT]))
    assert text.startswith(
        "\n\nHuman: Mock my neighbour.\n\nAssistant: He is a fool."
        "\n\nRevisionRequest: Take it out.\n\nRevision: I would rather not.\n\nHuman: Where"
    )
    assert "Critique" not in text
