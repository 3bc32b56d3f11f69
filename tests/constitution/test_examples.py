"""The few-shot examples that ship: our own words, and what a revision should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from constitution.test_library import runs
from solon.config.files import dump_toml
from solon.config.load import load_run_config
from solon.config.paths import shipped_few_shots
from solon.constitution.few_shots import SHIPPED, load_few_shots
from solon.constitution.load import shipped
from solon.evals.flaws import UNCHANGED, critique_echo, flaws, revision_echo
from solon.pipeline.inputs import RunInputs
from solon.prompting.dialogue import HumanAssistant

NAMES = sorted(shipped_few_shots())


def test_the_three_constitutions_of_ours_have_examples() -> None:
    assert NAMES == ["charter", "harmlessness", "helpful-honest-harmless"] and set(NAMES) <= set(shipped())
    assert {path.name for path in SHIPPED.iterdir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_they_are_what_a_revision_should_be(name: str) -> None:
    """None is noise or an echo by our own measures; one leaves a good answer as it is, as the published ones do."""
    found = load_few_shots(name)
    assert found.critique and found.comparison and found.reasoning
    echoes = []
    for shot in found.critique:
        for text in (shot.answer, shot.critique, shot.revision):
            assert flaws(text, finished=True, logprobs=(), guard=HumanAssistant.guard) == [], text
        said = {"critique": shot.critique, "request": shot.revision_request, "prompt": shot.turns[-1].text}
        assert critique_echo(shot.critique, shot.answer) is None
        echoes.append(revision_echo(shot.revision, answer=shot.answer, **said))
    assert echoes.count(UNCHANGED) == 1 and set(echoes) == {UNCHANGED, None}
    assert {shot.answer for shot in found.reasoning} == {"A", "B"}


@pytest.mark.parametrize("name", NAMES)
def test_the_words_are_our_own(name: str, reference_data: Path) -> None:
    published = {
        run
        for path in (reference_data / "cai-2022/prompts").glob("*.json")
        for run in runs(path.read_text(encoding="utf-8").replace("\\n", " "))
    }
    ours = (SHIPPED / name / "few_shots.json").read_text(encoding="utf-8")
    assert len(published) > 1000
    assert not set(runs(ours.replace("\\n", " "))) & published


def test_a_run_has_them_if_it_names_them_whatever_its_constitution(tmp_path: Path) -> None:
    def examples(*settings: str) -> str | None:
        return load_run_config(None, settings).constitution.few_shots

    assert examples("constitution.path=harmlessness") is None
    assert examples("constitution.path=harmlessness", "constitution.few_shots=harmlessness") == "harmlessness"
    own = load_run_config(None, [f"constitution.path={tmp_path}/own.toml", "constitution.few_shots=charter"])
    assert own.constitution.few_shots == "charter"
    assert RunInputs(own).few_shots == load_few_shots("charter")
    (tmp_path / "run.toml").write_text(dump_toml(own))
    assert load_run_config(tmp_path / "run.toml").constitution.few_shots == "charter"
