"""The public's principles as the embedded model reads them: its own forms, the statements' nouns, the same way back."""

from __future__ import annotations

from solon.collective.principles.trace import Trace
from solon.constitution.load import load_constitution
from solon.constitution.principles import Constitution, Principle
from solon.town.collect import Folder
from solon.town.wording import worded, write_worded
from solon.world.lexicon import HELD_OUT_TEMPLATES, lexicon
from solon.world.raters import nouns_of, terms_of


def constitution(*questions: str) -> Constitution:
    rows = [Principle(id=f"p{n}", title="t", comparison_question=one) for n, one in enumerate(questions)]
    return Constitution(name="n", title="t", description="d", principles=tuple(rows))


def test_each_principle_asks_in_a_form_of_its_own_for_less_of_what_its_statement_names() -> None:
    made = worded(constitution("“No rudeness.” Which is more in keeping?", "“No dodging the question.” Which?"))
    first, second = (one.comparison_question for one in made.principles)
    assert first == "Which response contains less rudeness?"
    assert second == "Choose the response with the least dodging the question."
    assert [one.id for one in made.principles] == ["p0", "p1"]


def test_forms_are_those_that_the_model_has_read() -> None:
    known = lexicon().principle["comparison"]
    made = worded(constitution(*["“No rudeness.”"] * (len(known) + 1)))
    asked = [one.comparison_question for one in made.principles]
    assert asked[0] == asked[len(known) - HELD_OUT_TEMPLATES]
    held_out = {one.replace("{terms}", "rudeness") for one in known[-HELD_OUT_TEMPLATES:]}
    assert not held_out & set(asked)


def test_what_names_nothing_of_the_world_stays_as_it_is() -> None:
    given = constitution("“Answers should rhyme.” Which response is more in keeping with that?")
    assert worded(given) == given


def test_a_noun_within_a_longer_one_is_not_told() -> None:
    text = "There should be no harmful advice and no bad manners in the answers."
    assert nouns_of(text) == ("harmful advice", "bad manners") and terms_of(text) == ("harm", "rude")


def test_the_trace_leads_from_the_same_ids_to_the_same_votes(folder: Folder) -> None:
    before = folder.trace()
    write_worded(folder.constitution, folder.model)
    found = load_constitution(str(folder.model))
    trace = Trace.model_validate_json((folder.path / "model.trace.json").read_bytes())
    assert trace.constitution_sha256 == found.sha256 != before.constitution_sha256
    assert trace.statements == before.statements and trace.principles == before.principles
    assert [one.id for one in found.principles] == [one.id for one in before.principles]
    assert "consultation" not in folder.model.read_text(encoding="utf-8")
