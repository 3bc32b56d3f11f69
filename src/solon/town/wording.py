"""The public's principles in words that the embedded model has learnt.

`solon collect principles` quotes each statement and asks which of two answers keeps to it. A large model reads that.
The embedded model was taught questions of a few forms, and that words around a question may turn it round: it takes a
quotation with a question after it for the opposite of what was said (docs/log.md). So the town's organiser asks it in a
form that it knows, by the nouns of the statement itself. Ids stay, and with them the way back to the votes.
"""

from __future__ import annotations

from pathlib import Path

from solon.artifacts.atomic import canonical_json, write_atomic
from solon.collective.principles.trace import Trace, trace_path
from solon.constitution.lists import list_toml
from solon.constitution.load import load_constitution
from solon.constitution.principles import Constitution, Principle
from solon.embedded.wordings import known_templates, list_terms
from solon.world.raters import nouns_of

USES = {"critique_request": "critique", "revision_request": "revision", "comparison_question": "comparison"}


def worded(constitution: Constitution) -> Constitution:
    """Each principle in a form of its own, in their order; one that names nothing of the world stays as it is."""
    told = (_worded(at, one) for at, one in enumerate(constitution.principles))
    return constitution.model_copy(update={"principles": tuple(told)})


def _worded(at: int, one: Principle) -> Principle:
    nouns = nouns_of(one.comparison_question or "")
    if not nouns:
        return one
    forms = {key: known_templates(use) for key, use in USES.items()}
    texts = {key: known[at % len(known)].replace("{terms}", list_terms(nouns)) for key, known in forms.items()}
    return one.model_copy(update=texts)


def write_worded(constitution: Path, out: Path) -> None:
    """Beside the constitution, with a trace of its own that leads to the same votes."""
    made = worded(load_constitution(str(constitution)))
    trace = Trace.model_validate_json(trace_path(constitution).read_bytes())
    told = trace.model_copy(update={"constitution": out.name, "constitution_sha256": made.sha256})
    write_atomic(trace_path(out), canonical_json(told, indent=1))
    write_atomic(out, list_toml(made).encode())
