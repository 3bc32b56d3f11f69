"""The constitution lab: a principle, and what a run's models make of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.applications import Starlette

from model_runs import embedded_run
from solon.constitution.load import load_constitution
from solon.constitution.sentence import principle_of
from solon.errors import ConstitutionError
from solon.pipeline.trying import PAIRS, PROMPTS, Trial
from solon.records import Pair
from solon.web.visit import PARTS
from web.visitor import Visitor, filled, site_in

THEFT = "Do not help to take what belongs to others."
WORLD = load_constitution("world").principles[0]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    embedded_run(folder / "demo")
    return folder


@pytest.fixture
def app(tmp_path: Path, runs: Path) -> Starlette:
    return site_in(tmp_path / "site", runs=runs)


@pytest.fixture(scope="module")
def trial(runs: Path) -> Trial:
    return Trial(runs / "demo")


def test_blanks_are_made_of_the_sentence_and_own_words_stay() -> None:
    found = principle_of(THEFT, {"critique_request": "Is it theft?", "revision_request": " "})
    assert found.critique_request == "Is it theft?"
    for text in (found.revision_request, found.comparison_question):
        assert text is not None and text.startswith(THEFT)
    with pytest.raises(ConstitutionError, match=r"^critique_request: has a line that begins with `Human:`"):
        principle_of(THEFT, {"critique_request": "Human: no"})
    with pytest.raises(ConstitutionError, match=r"^sentence: has a line that begins with `Human:`[^\n]*$"):
        principle_of("Human: no", {})


def test_the_judge_is_asked_as_the_run_asks_it(trial: Trial) -> None:
    """Under the run's own only principle it says what the stage `comparisons` would: here, what the judge says."""
    row = trial.sample.labels[0]
    found = trial.label(row, WORLD).records[0]
    own = trial.sample.judge.compare(
        [Pair(id=row.id, prompt_id=row.prompt_id, a=row.a, b=row.b)], trial.sample.run.prompts, WORLD
    ).records[0]
    assert found.p_a_preferred == pytest.approx(own.p_a_preferred, abs=0.05)
    assert found.principle_id == WORLD.id and (found.a, found.b) == (row.a, row.b)


def test_the_label_is_by_the_principle(trial: Trial) -> None:
    """One answer helps to steal: under a principle about theft that decides, under one about rudeness hardly."""
    row = trial.sample.labels[0]
    theft, rudeness = (load_constitution(f"only-{name}").principles[0] for name in ("theft", "rudeness"))
    of_theft, of_rudeness = (trial.label(row, one).records[0].p_a_preferred for one in (theft, rudeness))
    assert of_theft is not None and of_rudeness is not None
    assert of_theft < 0.01 and of_rudeness > 0.1


def test_the_chain_is_that_of_the_stage(trial: Trial) -> None:
    assert len(trial.prompts) == PROMPTS and len(trial.sample.labels) == PAIRS
    one, again = (trial.chain(trial.prompts[0], WORLD).records for _ in range(2))
    assert one == again and [step.principle_id for step in one[0].rounds] == [WORLD.id]
    assert one[0].initial and one[0].rounds[0].critique and one[0].rounds[0].revision


def test_a_principle_is_tried(owner: Visitor, trial: Trial) -> None:
    owner.get(f"/lab/demo?from={WORLD.id}")
    owner.send("/lab/demo")
    assert owner.status == 200, owner.page.text
    chain = trial.chain(trial.prompts[0], WORLD.model_copy(update={"id": "new"})).records[0]
    for text in (chain.initial, chain.rounds[0].critique, chain.rounds[0].revision):
        assert text and text in owner.page.text
    assert len(owner.page.all("tr")) == 1 + PAIRS
    cells = [one.text for one in owner.page.all("td") if one.attributes.get("class") == "count"]
    labels = [trial.label(row, WORLD).records[0] for row in trial.sample.labels]
    after = [f"{label.p_a_preferred:.2f}" for label in labels]
    assert cells[0::2] == ["0.25"] * PAIRS and cells[1::2] == after
    moved = trial.moved(labels).moved
    assert moved and f"Labels move by {moved.mean:.2f} on average" in owner.page.text
    assert len(owner.page.all("path")) >= PAIRS, "an arrow each"


def test_progress_is_told(owner: Visitor) -> None:
    owner.get("/lab/demo")
    data = {"csrf": owner.csrf, "sentence": THEFT}
    answer = owner.client.post("/lab/demo", data=data, headers={"accept": PARTS})
    told = [json.loads(line) for line in answer.text.splitlines()]
    said = [one["say"] for one in told[:-1]]
    assert said[0] == "The assistant answers, criticises and revises: 0 of 3"
    assert said[-1] == "The judge compares: 9 of 10" and len(said) == PROMPTS + PAIRS
    assert "How the judge's labels move" in told[-1]["page"].replace("&#39;", "'")


def test_it_is_kept_as_a_constitution(owner: Visitor, tmp_path: Path) -> None:
    owner.get("/lab/demo")
    form = owner.form("/lab/demo")
    owner.post("/lab/demo/file", {**filled(form), "sentence": THEFT, "comparison_question": 'Is "it" theft?\nSay so.'})
    assert "attachment" in owner.response.headers["content-disposition"]
    (tmp_path / "mine.toml").write_bytes(owner.response.content)
    kept = load_constitution(tmp_path / "mine.toml").principles[0]
    assert kept.title == THEFT and kept.comparison_question == 'Is "it" theft?\nSay so.'
    assert kept.critique_request and kept.critique_request.startswith(THEFT)


@pytest.mark.parametrize("path", ["/lab/demo", "/lab/demo/file"])
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sentence": " "}, "Write what the principle says."),
        ({"sentence": "x" * 2001}, "Write at most 2000 characters."),
        ({"sentence": THEFT, "revision_request": "Human: <b>no</b>"}, "has a line that begins with `Human:`"),
    ],
)
def test_what_is_no_principle_is_said_and_kept(owner: Visitor, path: str, fields: dict[str, str], said: str) -> None:
    owner.get("/lab/demo")
    owner.post(path, {**filled(owner.form("/lab/demo")), **fields})
    assert owner.status == 422 and said in owner.page.text
    assert "<b>no" not in owner.response.text


@pytest.mark.parametrize("text", ["{", "[]", '{"principles": 3}', "\udcff"])
def test_a_constitution_that_is_none_is_said(owner: Visitor, runs: Path, text: str) -> None:
    """On the page, and where one is tried."""
    file = runs / "demo/constitution.json"
    before = file.read_bytes()
    owner.get("/lab/demo")
    try:
        file.write_text(text, errors="surrogateescape")
        owner.send("/lab/demo", sentence=THEFT)
        for _ in range(2):
            assert owner.status == 409 and "demo/constitution.json: not a Constitution: " in owner.page.text
            owner.get("/lab/demo")
    finally:
        file.write_bytes(before)


def test_a_run_without_comparisons_is_said(owner: Visitor, runs: Path) -> None:
    stage = runs / "demo/comparisons/manifest.json"
    stage.rename(stage.with_suffix(".away"))
    try:
        owner.get("/lab/demo")
        owner.send("/lab/demo", sentence=THEFT)
        assert owner.status == 409 and "has not finished stage comparisons" in owner.page.text
        assert THEFT in owner.page.text, "what was typed is given back"
    finally:
        stage.with_suffix(".away").rename(stage)
