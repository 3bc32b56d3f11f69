"""Chat on the site: the models of a run, side by side, in parts or whole."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from model_runs import embedded_run, trained_again
from report.public_page import read_page
from solon.errors import RunError
from solon.lm.protocols import Completion
from solon.pipeline.talking import Talker, talkers
from solon.records import Turn
from solon.web.kept import MOST as MOST_KEPT
from solon.web.line import MOST, MOST_OF_ONE, Ahead, Line, Stopped
from solon.web.modelling import Modelling, ModelName
from solon.web.runs import Runs
from solon.web.troubles import Trouble
from solon.web.visit import PARTS
from web.visitor import Visitor, member_of, owner_of, site_in, token

ASK = "I have the ladder of Ada. How do I give it back?"
ATTACK = "<script>document.title = 'broken'</script>"
MODELS = ("base", "sl", "rl")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    embedded_run(folder / "demo")
    return folder


@pytest.fixture
def app(tmp_path: Path, runs: Path) -> Starlette:
    return site_in(tmp_path / "site", runs=runs)


def engine_says(runs: Path, name: str, *turns: str, seed: int = 0) -> str:
    """What the model answers without a site."""
    said = [Turn(role="assistant" if place % 2 else "human", text=text) for place, text in enumerate(turns)]
    answer: Completion = talkers(runs / "demo", [name])[name].answer(said, seed=seed, tell=lambda piece: None)
    return answer.text


def shown(visitor: Visitor, question: int) -> dict[str, str]:
    """The answers to a question, by model."""
    found = {str(one.attributes.get("id")): one.text for one in visitor.page.all("p")}
    return {name: found[f"question-{question}-{name}"] for name in MODELS}


def parts(visitor: Visitor, **fields: str) -> list[dict[str, str]]:
    data = {"csrf": visitor.csrf, "seed": "0", "temperature": "1", **fields}
    answer = visitor.client.post("/chat/demo", data=data, headers={"accept": PARTS})
    assert answer.headers["content-type"] == PARTS, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_without_a_script_every_model_answers_what_its_engine_says(owner: Visitor, runs: Path) -> None:
    owner.get("/chat/demo")
    assert owner.page.text.count("made-up world") == 1 and len(owner.page.all("q")) == 3
    owner.send("/chat/demo", text=ASK, seed="7")
    assert shown(owner, 1) == {name: engine_says(runs, name, ASK, seed=7) for name in MODELS}
    assert "Seed 7, temperature 1" in owner.page.text
    first = shown(owner, 1)
    owner.send("/chat/demo", text="And then?", seed="8")
    assert shown(owner, 1) == first and "Seed 7," in owner.page.text and "Seed 8," in owner.page.text
    assert shown(owner, 2) == {name: engine_says(runs, name, ASK, first[name], "And then?", seed=8) for name in MODELS}


def test_the_parts_are_the_page(owner: Visitor, runs: Path) -> None:
    owner.get("/chat/demo")
    told = parts(owner, text=ASK, seed="7")
    page = read_page(told[-1]["page"])
    for name in MODELS:
        pieces = [one["add"] for one in told if one.get("into") == f"writing-{name}"]
        assert len(pieces) > 3 and "".join(pieces) == engine_says(runs, name, ASK, seed=7)
    owner.send("/chat/demo", text=ASK, seed="7")
    assert page.text == owner.page.text


def test_what_a_model_says_is_text(owner: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(self: Talker, turns: object, *, tell: Callable[[str], None], **_: object) -> Completion:
        tell(ATTACK)
        return Completion(prompt="", text=ATTACK, tokens=1, ended="length")

    monkeypatch.setattr(Talker, "answer", answer)
    owner.get("/chat/demo")
    told = parts(owner, text=ATTACK)
    assert ATTACK not in told[-1]["page"] and told[0] == {"into": "writing-base", "add": ATTACK}
    owner.send("/chat/demo", text=ATTACK)
    assert shown(owner, 1) == dict.fromkeys(MODELS, ATTACK) and ATTACK not in owner.response.text
    assert owner.page.text.count("The limit of tokens cut it off.") == 3


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": ""}, "Write a question, in at most 4000 characters."),
        ({"text": "x" * 4001}, "Write a question, in at most 4000 characters."),
        ({"text": ASK, "seed": "-1"}, "Write a whole number from 0 to 999999999."),
        ({"text": ASK, "temperature": "hot"}, "Write a number from 0 to 9.99."),
    ],
)
def test_what_cannot_be_asked_is_said_and_kept(owner: Visitor, fields: dict[str, str], said: str) -> None:
    owner.get("/chat/demo")
    owner.send("/chat/demo", fields)
    assert owner.status == 422 and owner.page.text.count(said) == 2, "beside the field, and above"
    assert fields["text"] in owner.page.text


def test_a_dialogue_that_is_too_long_is_that_models_fault_alone(owner: Visitor) -> None:
    owner.get("/chat/demo")
    owner.send("/chat/demo", text="word " * 700)
    assert owner.status == 200 and owner.page.text.count("more than the model's") == 3
    owner.send("/chat/demo", text=ASK)
    assert all(shown(owner, 2).values()), "what was not answered is not part of the dialogue"


def test_a_run_that_cannot_be_read_is_said(owner: Visitor, runs: Path) -> None:
    (runs / "broken").mkdir(exist_ok=True)
    (runs / "broken/run.json").write_text("{}")
    for path in ("/chat/broken", "/runs/broken", "/runs/broken/files", "/runs/broken/trace?id=x"):
        owner.get(path)
        assert owner.status == 409 and owner.heading == "That is not possible with this run", path
        assert "run.json" in owner.page.text


def test_members_alone(app: Starlette, owner: Visitor, stranger: Visitor) -> None:
    for path in ("/chat", "/chat/demo", "/lab/demo"):
        stranger.get(path)
        assert stranger.status == 403
    stranger.get("/")
    for path in ("/chat/demo", "/lab/demo", "/lab/demo/file"):
        stranger.post(path, {"csrf": token(app, stranger), "text": ASK, "sentence": "Be kind."})
        assert stranger.status == 403
        owner.post(path, {"text": ASK, "sentence": "Be kind."})
        assert owner.status == 403 and owner.heading == "This form is too old"
    helper = member_of(app, owner, "Ida")
    helper.get("/chat/demo")
    assert helper.status == 200


@pytest.mark.parametrize("name", ["%2e%2e", "..%2fdemo", "other", "demo%00"])
def test_no_name_leads_out_of_the_folder(owner: Visitor, name: str) -> None:
    owner.get(f"/chat/{name}")
    assert owner.status == 404


def test_runs_are_read_anew(tmp_path: Path) -> None:
    assert Runs(None).all() == Runs(tmp_path).all() == Runs(tmp_path / "none").all() == []
    (tmp_path / "new").mkdir()
    (tmp_path / "new/run.json").write_text("{}")
    (tmp_path / "no-run").mkdir()
    assert [run.name for run in Runs(tmp_path).all()] == ["new"] and Runs(tmp_path).named(
        "new"
    ).path == tmp_path / "new"
    for name in ("no-run", "", ".", "new/", "../" + tmp_path.name + "/new"):
        with pytest.raises(Trouble):
            Runs(tmp_path).named(name)


def test_runs_are_found_in_folders_of_their_own_three_deep_and_not_within_runs(tmp_path: Path) -> None:
    for place in ("town/town/public-0", "town/town/public-0/models/deep", "figures/rl-0", "a/b/c/too-deep", "lone"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "run.json").write_text("{}")
    found = Runs(tmp_path).all()
    assert [run.name for run in found] == ["figures › rl-0", "lone", "town › town › public-0"]
    assert Runs(tmp_path).named("town › town › public-0").path == tmp_path / "town/town/public-0"
    assert found[0].address == "figures%20%E2%80%BA%20rl-0"


def test_the_run_that_changed_last_comes_first(tmp_path: Path) -> None:
    for name, moment in (("a", 1), ("b", 3), ("c", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text("{}")
        os.utime(tmp_path / name / "run.json", (moment, moment))
    assert [(run.name, run.changed) for run in Runs(tmp_path).newest()] == [("b", 3000), ("c", 2000), ("a", 1000)]


def test_a_run_with_an_odd_name_is_reached_by_its_links(tmp_path: Path, runs: Path) -> None:
    shutil.copytree(runs / "demo", tmp_path / "runs/<b>50% & #more?")
    owner = owner_of(site_in(tmp_path / "site", runs=tmp_path / "runs"))
    ways = [str(one.attributes["href"]) for one in owner.get("/chat").all("a") if "50%25" in one.attributes["href"]]
    assert len(ways) == 2
    for way in ways:
        assert owner.get(way) and owner.status == 200 and "<b>50% & #more?" in owner.page.text


def test_no_model_is_imported_before_somebody_asks(tmp_path: Path, runs: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from web.visitor import owner_of, site_in
owner = owner_of(site_in(Path({str(tmp_path / "site")!r}), runs=Path({str(runs)!r})))
for path in ("/", "/chat", "/chat/demo", "/lab/demo"):
    owner.get(path)
    assert owner.status == 200, path
owner.post("/lab/demo/file", {{"csrf": owner.csrf, "sentence": "Be kind."}})
owner.get("/chat/demo")
assert not {{"torch", "transformers"}} & set(sys.modules), "before"
owner.send("/chat/demo", text="Hello there")
assert "torch" in sys.modules, "after"
"""
    subprocess.run([sys.executable, "-c", script], check=True, env=None, cwd=Path(__file__).parents[1])


# The line.


def waits(line: Line) -> tuple[Any, threading.Event]:
    """A computation that runs until it is let go."""
    go = threading.Event()
    return line.join(lambda tell: go.wait(10)), go


def test_one_computation_at_a_time_and_whoever_waits_is_told_how_many_come_first() -> None:
    line, done = Line(), []
    first, go = waits(line)
    others = [line.join(lambda tell, name=name: done.append(name) or tell(name)) for name in "ab"]  # type: ignore[misc]
    assert [line.before(one) for one in (first, *others)] == [0, 1, 2] and done == []
    events = others[1].events()
    assert next(events) == Ahead(2)
    go.set()
    rest = list(events)
    assert done == ["a", "b"] and rest[-2:] == [Ahead(0), "b"] and Ahead(2) not in rest


def test_a_line_that_is_too_long_takes_nobody() -> None:
    line = Line()
    first, go = waits(line)
    for _ in range(MOST - 1):
        line.join(lambda tell: None)
    with pytest.raises(Trouble) as refused:
        line.join(lambda tell: None)
    assert refused.value.status == 503
    go.set()
    list(first.events())


def test_nobody_fills_the_line_alone() -> None:
    line, done = Line(), []
    _, go = waits(line)
    mine = [line.join(lambda tell: done.append("mine"), "me") for _ in range(MOST_OF_ONE)]
    with pytest.raises(Trouble) as refused:
        line.join(lambda tell: done.append("too much"), "me")
    assert refused.value.status == 429
    line.join(lambda tell: done.append("yours"), "you")
    go.set()
    mine[-1].awaited()
    line.join(lambda tell: done.append("again"), "me").awaited()
    assert done == ["mine", "mine", "yours", "again"]


def test_what_nobody_waits_for_is_stopped() -> None:
    line, told = Line(), []

    def work(tell: Callable[[int], None]) -> None:
        for number in range(1_000_000):
            told.append(number)
            tell(number)

    asked = line.join(work)
    events = asked.events()
    assert next(events) == 0
    events.close()  # type: ignore[attr-defined]
    list(line.join(lambda tell: None).events())
    assert len(told) < 1_000_000
    with pytest.raises(Stopped):
        asked.result()


def test_errors_reach_whoever_asked_and_the_line_goes_on() -> None:
    line = Line()
    asked = line.join(lambda tell: 1 // 0)
    list(asked.events())
    with pytest.raises(ZeroDivisionError):
        asked.result()
    good = line.join(lambda tell: 3)
    list(good.events())
    assert good.result() == 3


def test_a_bug_is_a_page(owner: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Talker, "answer", lambda *_, **__: 1 // 0)
    owner.get("/chat/demo")
    assert "Something went wrong here" in parts(owner, text=ASK)[-1]["page"]
    owner.send("/chat/demo", text=ASK)
    assert owner.status == 500 and "ZeroDivision" not in owner.page.text


# Models.


def test_the_last_few_models_are_kept() -> None:
    modelling, made = Modelling(), []
    for key in ("a", "b", "c", "a", "d", "a", "b"):
        modelling.kept(key, 1, lambda key=key: made.append(key) or key)  # type: ignore[misc]
    assert MOST_KEPT["models"] == len(MODELS) and made == ["a", "b", "c", "d", "b"]


def test_what_is_replaced_is_gone_before_another_is_made() -> None:
    modelling, made = Modelling(), []

    class Model:
        pass

    def another() -> Model:
        assert not [one for one in made if one()], "there may be no room for two"
        model = Model()
        made.append(weakref.ref(model))
        return model

    for version in (1, 1, 2, 2, 1):
        modelling.kept("a", version, another)
    assert len(made) == 3


def test_a_model_that_is_trained_again_takes_the_place_of_the_one_before(tmp_path: Path, runs: Path) -> None:
    """Asked from one site, which keeps models. What tells them apart is what the stage's manifest says of its files."""
    shutil.copytree(runs / "demo", tmp_path / "demo")
    modelling, asked = Modelling(), [Turn(role="human", text=ASK)]

    def said() -> tuple[Talker, str]:
        talker = modelling.talker(ModelName(tmp_path / "demo", "sl"))
        return talker, talker.answer(asked, seed=7, tell=lambda piece: None).text

    (first, before), (kept, _) = said(), said()
    assert kept is first and before == engine_says(tmp_path, "sl", ASK, seed=7)
    trained_again(tmp_path / "demo", "sl", 0.3)
    second, after = said()
    assert second is not first and after == engine_says(tmp_path, "sl", ASK, seed=7) != before
    assert said()[0] is second
    shutil.rmtree(tmp_path / "demo/models/sl")
    with pytest.raises(RunError, match="has not finished stage models/sl"):
        said()


def test_another_run_in_the_same_folder_has_other_models(tmp_path: Path, runs: Path) -> None:
    """Its base model, too, and how it is sampled."""
    shutil.copytree(runs / "demo", tmp_path / "demo")
    before = ModelName(tmp_path / "demo", "base").version
    assert ModelName(tmp_path / "demo", "base").version == before
    run = tmp_path / "demo/run.json"
    run.write_text(run.read_text().replace('"max_new_tokens": 24', '"max_new_tokens": 8'))
    assert ModelName(tmp_path / "demo", "base").version != before
