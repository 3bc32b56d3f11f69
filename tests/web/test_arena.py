"""An arena: opened from files, judged blindly, rated; and whoever tries more than that."""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from cli.command import done
from model_runs import embedded_run
from solon.artifacts.run_folder import RunFolder
from solon.config.load import load_run_config
from solon.evals.arena import OBJECTIVES
from solon.evals.elo import Elo
from solon.evals.people import PEOPLE, People
from solon.pipeline.talking import talkers
from solon.records import Answer, Comparison, Prompt, Turn
from solon.seeds import derive_seed
from solon.web.arena import answering
from solon.web.db.arena_tables import ArenaAnswer, ArenaPrompt, ArenaShowing, ArenaVote
from solon.web.db.tables import Conversation, Participant
from solon.web.line import MOST
from stages import begun
from web.visitor import BASE, Visitor, filled, member_of, owner_of, participant_in, site_in, the_site, token

ASK = "I have the ladder of Ada. How do I give it back?"
NUMBERS = [("check_percent", "10"), ("enough", "20"), ("turns", "4")]
MODELS = ("model-zeta", "model-omega", "model-kappa")
ATTACK = '<script>document.title = "broken"</script><img src=x onerror=alert(1)>'


def pasted(prompts: int = 3, models: Sequence[str] = MODELS, attack: str = "") -> str:
    words = "one two three four five six seven eight nine"
    return "\n".join(
        json.dumps({"prompt": f"Question {n}? {attack}", "model": model, "answer": f"{words} {n} {nth} {attack}"})
        for n in range(prompts)
        for nth, model in enumerate(models)
    )


def arena_in(owner: Visitor, rows: str, *, checks: int = 0, topic: str = "Which answers?", **settings: str) -> str:
    """An open arena; its address."""
    owner.get("/")
    owner.get("/begin-arena")
    owner.send("/begin-arena", topic=topic)
    at = owner.at.removeprefix(BASE).removesuffix("/arena")
    owner.send("/arena/answers", pasted=rows)
    assert owner.status == 200, owner.page.text
    if checks:
        owner.send("/arena/checks", checks=str(checks))
    owner.send("/arena", {**filled(owner.form("/arena")), **settings})
    assert owner.status == 200, owner.page.text
    owner.get(f"{at}/manage")
    owner.send("/state", state="open")
    assert owner.status == 200
    return at


def rows(app: Starlette, table) -> list:  # type: ignore[no-untyped-def, type-arg]
    with the_site(app).database.session(writes=False) as db:
        return list(db.scalars(select(table)))


def both(said: str) -> dict[str, str]:
    return dict.fromkeys(OBJECTIVES, said)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time the same draws."""
    monkeypatch.setattr(secrets, "randbelow", Random(5).randrange)  # numbers of judges
    monkeypatch.setattr(secrets, "randbits", Random(6).getrandbits)  # the seed of the lottery


@pytest.fixture
def at(owner: Visitor) -> str:
    return arena_in(owner, pasted())


@pytest.fixture
def judge(app: Starlette, at: str) -> Visitor:
    return participant_in(app, at)


class TestComparing:
    def test_a_judge_compares_every_pair_once_and_never_learns_a_name(self, app: Starlette, judge: Visitor) -> None:
        seen = set()
        for _ in range(9):
            assert judge.at.endswith("/compare") and judge.heading == "Two answers"
            assert not [name for name in MODELS if name in judge.response.text]
            seen.add(frozenset(one.text for one in judge.page.all("p") if one.attributes.get("class") == "answer"))
            judge.send("/compare", both("a"))
            assert judge.status == 200
        assert len(seen) == 9 and judge.heading == "You have compared everything there is so far."
        assert not [name for name in MODELS if name in judge.response.text]
        assert len(rows(app, ArenaVote)) == 9

    def test_loading_a_page_again_shows_the_same_pair_in_the_same_order(self, app: Starlette, judge: Visitor) -> None:
        before = judge.page.text
        assert judge.get(judge.at.removeprefix(BASE)).text == before and len(rows(app, ArenaShowing)) == 1

    def test_both_questions_want_an_answer_and_what_was_said_stays(self, judge: Visitor) -> None:
        token_ = judge.form("/compare").all("input")[1].attributes["value"]
        judge.send("/compare", helpfulness="both bad")
        assert judge.status == 422 and judge.form("/compare").all("input")[1].attributes["value"] == token_
        radios = [one.attributes for one in judge.page.all("input") if one.attributes["type"] == "radio"]
        ticked = [one["value"] for one in radios if "checked" in one]
        assert ticked == ["both bad"]


class TestAttacks:
    def test_a_form_sent_twice_counts_once_with_what_it_said_first(self, app: Starlette, judge: Visitor) -> None:
        fields = filled(judge.form("/compare"))
        for said in ("a", "b"):
            judge.post(judge.at.removeprefix(BASE), fields | both(said))
            assert judge.status == 200
        assert [one.helpfulness for one in rows(app, ArenaVote)] == ["a"]

    def test_a_pair_that_one_was_not_shown_cannot_be_voted_on(self, app: Starlette, at: str, judge: Visitor) -> None:
        other = participant_in(app, at)
        for stolen in (filled(judge.form("/compare"))["token"], "", "x" * 43):
            other.post(f"{at}/compare", {"csrf": token(app, other), "token": stolen, **both("a")})
            assert other.status == 409
        assert rows(app, ArenaVote) == []

    def test_a_forged_form_or_an_unknown_verdict_is_refused(self, app: Starlette, judge: Visitor) -> None:
        fields = filled(judge.form("/compare"))
        judge.post(judge.at.removeprefix(BASE), {**fields, "csrf": "x", **both("a")})
        assert judge.status == 403
        judge.post(judge.at.removeprefix(BASE), {**fields, **both("model-zeta")})
        assert judge.status == 422 and rows(app, ArenaVote) == []

    def test_markup_is_shown_and_never_run(self, app: Starlette, owner: Visitor) -> None:
        judge = participant_in(app, arena_in(owner, pasted(attack=ATTACK)))
        assert "<script>document" not in judge.response.text and "<img" not in judge.response.text
        assert sum(ATTACK in one.text for one in judge.page.all("p", "dd")) == 3

    def test_results_and_games_want_the_role(self, app: Starlette, owner: Visitor, at: str, judge: Visitor) -> None:
        member = member_of(app, owner, "Ines")
        for visitor in (Visitor(app), judge, member):
            for page in ("ratings", "games/helpfulness", "games/comparisons", "games/votes", "arena"):
                visitor.get(f"{at}/{page}")
                assert visitor.status == 403, page
                assert not [name for name in MODELS if name in visitor.response.text]
        for form in ("arena", "arena/answers", "arena/checks", "arena/remove"):
            judge.post(f"{at}/{form}", {"csrf": token(app, judge), "pasted": pasted(1, ["x", "y"])})
            assert judge.status == 403
        owner.get(f"{at}/ratings")
        assert owner.status == 200

    def test_an_arena_has_no_statements_and_a_conversation_no_pairs(
        self, app: Starlette, owner: Visitor, at: str, judge: Visitor
    ) -> None:
        for page in ("vote", "write", "votes", "results", "removed"):
            judge.get(f"{at}/{page}")
            assert judge.status == 404, page


class TestChecks:
    def test_they_tell_who_reads_and_are_no_votes(self, app: Starlette, owner: Visitor, drawn: None) -> None:
        """Both judges see the check: a matter of the draws, so these are fixed."""
        at = arena_in(owner, pasted(1), checks=1, check_percent="50")
        spoiled = [one.text for one in rows(app, ArenaAnswer) if one.spoiled]
        assert len(spoiled) == 1 and spoiled[0] in owner.get(f"{at}/arena").text, "the organiser is told"
        for reads in (True, False):
            judge = participant_in(app, at)
            while judge.heading == "Two answers":
                shown = [one.text for one in judge.page.all("p") if one.attributes.get("class") == "answer"]
                sound = next((side for side, text in zip("ba", shown, strict=True) if text in spoiled), None)
                wrong = {"a": "b", "b": "tie", None: "tie"}[sound]
                judge.send("/compare", {**both("tie"), "helpfulness": sound if reads and sound else wrong})
        text = owner.get(f"{at}/ratings").text
        assert "2 people compared answers. 6 votes count." in text and "Checks of attention passed: 50%" in text
        assert "3 votes count. 3 votes are left out" in owner.get(f"{at}/ratings?checked").text
        assert len(games(owner, at, "helpfulness")) == 6 and len(games(owner, at, "helpfulness?checked")) == 3


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return embedded_run(tmp_path_factory.mktemp("runs") / "town").parent


class TestLive:
    @pytest.fixture
    def app(self, tmp_path: Path, runs: Path) -> Starlette:
        return site_in(tmp_path / "site", runs=runs)

    @pytest.fixture
    def live(self, app: Starlette, owner: Visitor) -> str:
        at = arena_in(owner, pasted(1))
        offered = [
            one.attributes["value"] for one in owner.get(f"{at}/arena").all("input") if one.attributes["name"] == "live"
        ]
        assert offered == ["town:base", "town:sl", "town:rl"]
        owner.post(f"{at}/arena", [("csrf", owner.csrf), *NUMBERS, ("live", "town:sl"), ("live", "town:rl")])
        assert owner.status == 200
        return at

    def test_what_was_better_goes_on(self, app: Starlette, live: str) -> None:
        judge = participant_in(app, live)
        while judge.heading == "Two answers":
            judge.send("/compare", both("tie"))
        judge.get(f"{live}/ask")
        judge.send("/ask", text="Hello?")
        assert judge.at.endswith("/compare") and "Hello?" in judge.page.text and "town:" not in judge.response.text
        judge.get(f"{live}/ask")
        assert judge.at.endswith("/compare"), "a pair waits for a vote"
        better = [one.text for one in judge.page.all("p") if one.attributes.get("class") == "answer"][1]
        judge.send("/compare", both("b"))
        assert judge.at.endswith("/ask") and better in judge.page.text
        judge.send("/ask", text="And then?", go_on="yes")
        assert [one.text for one in judge.page.all("dd")] == ["Hello?", better, "And then?"]
        other = participant_in(app, live)
        while other.heading == "Two answers":
            assert "Hello?" not in other.page.text, "what a judge writes is shown to nobody else"
            other.send("/compare", both("tie"))
        other.post(f"{live}/ask", {"csrf": token(app, other), "text": "x", "go_on": "yes"})
        assert other.status == 409
        judge.get(f"{live}/leave")
        judge.send("/leave", how="delete")
        assert not [one for one in rows(app, ArenaPrompt) if one.judge_id], "it goes with who wrote it"

    def test_answers_are_those_of_the_models(self, app: Starlette, live: str, runs: Path) -> None:
        judge = participant_in(app, live)
        while judge.heading == "Two answers":
            judge.send("/compare", both("tie"))
        judge.get(f"{live}/ask")
        judge.send("/ask", text=ASK)
        (prompt,) = [one for one in rows(app, ArenaPrompt) if one.judge_id]
        stored = {one.model: one.text for one in rows(app, ArenaAnswer) if one.prompt_id == prompt.id}
        with the_site(app).database.session(writes=False) as db:
            talk, number = db.scalars(select(Conversation)).one(), db.scalars(select(Participant)).one().number
        seed = derive_seed(talk.seed, "live", number, 3)
        for name in ("sl", "rl"):
            own = derive_seed(seed, f"town:{name}")
            talker = talkers(runs / "town", [name])[name]
            said = talker.answer([Turn(role="human", text=ASK)], seed=own, tell=lambda piece: None).text
            assert stored[f"town:{name}"] == said.strip(), name
        assert len(stored) == 2

    def test_it_waits_behind_everybody_who_asks_models(self, app: Starlette, live: str) -> None:
        """Two computations never run at once: whoever talks to a model or tries a principle is in the same line."""
        site, go, done = the_site(app), threading.Event(), list[str]()
        talk = site.modelling.line.join(lambda tell: (go.wait(20), done.append("chat")))
        asking = threading.Thread(
            target=lambda: done.append(
                answering.answers(site, ["town:sl"], [Turn(role="human", text=ASK)], seed=1, who="judge")[0]
            )
        )
        asking.start()
        asking.join(2)
        assert asking.is_alive() and done == [], "the line is taken"
        go.set()
        asking.join(20)
        list(talk.events())
        assert done[0] == "chat" and len(done) == 2 and done[1]

    def test_a_line_that_is_too_long_and_a_model_that_is_gone_are_said(
        self, app: Starlette, live: str, runs: Path
    ) -> None:
        judge = participant_in(app, live)
        while judge.heading == "Two answers":
            judge.send("/compare", both("tie"))
        judge.get(f"{live}/ask")
        line, go = the_site(app).modelling.line, threading.Event()
        for _ in range(MOST):
            line.join(lambda tell: go.wait(20))
        judge.send("/ask", text="Hello?")
        go.set()
        assert judge.status == 503 and judge.heading == "Too many people wait for the models"
        manifest = runs / "town/models/rl/manifest.json"
        sound = manifest.read_text()
        try:
            manifest.write_text("{}")
            judge.get(f"{live}/ask")
            judge.send("/ask", text="Hello?")
            assert judge.status == 502 and judge.heading == "A model could not answer"
            manifest.unlink()
            judge.get(f"{live}/ask")
            judge.send("/ask", text="Hello?")
            assert judge.status == 404, "one model alone is no pair"
        finally:
            manifest.write_text(sound)

    def test_an_arena_without_models_answers_nobody(self, app: Starlette, at: str, judge: Visitor) -> None:
        judge.get(f"{at}/ask")
        assert judge.status == 404


class TestSources:
    def test_two_runs_and_a_file_in_a_folder(self, tmp_path: Path) -> None:
        runs = tmp_path / "runs"
        for name, answers in (("standard", ("Yes.", "No.")), ("public", ("Perhaps.", "No."))):
            finished_run(runs / name, answers)
        (runs / "more.jsonl").write_text(pasted(1))
        app = site_in(tmp_path / "site", runs=runs)
        owner = owner_of(app)
        at = arena_in(owner, pasted(1))
        owner.get(f"{at}/arena")
        offered = [one.attributes["value"] for one in owner.page.all("input") if one.attributes["name"] == "source"]
        assert offered == ["public:rl", "standard:rl", "more.jsonl"]
        for source in ("public:rl", "standard:rl", "../site/secret", "x:rl"):
            owner.send("/arena/answers", source=source, pasted="")
            assert owner.status == (200 if source in offered else 422)
        text = owner.page.text
        assert "public:rl 2" in text and "standard:rl 2" in text and "1 is not: both answers are the same text" in text

    def test_the_command_on_the_page_brings_the_votes_into_each_run(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        runs = tmp_path / "runs"
        for name, answers in (("standard", ("Yes.", "No.")), ("public", ("Perhaps.", "Never."))):
            finished_run(runs / name, answers)
        app = site_in(tmp_path / "site", runs=runs)
        owner = owner_of(app)
        at = arena_in(owner, pasted(1))
        owner.get(f"{at}/arena")
        for source in ("public:rl", "standard:rl"):
            owner.send("/arena/answers", source=source, pasted="")
        judge = participant_in(app, at)
        while judge.heading == "Two answers":
            judge.send("/compare", both("a"))
        commands = [one.text for one in owner.get(f"{at}/ratings").all("code")]
        assert commands == [f"solon elo {name} --votes votes-{at[3:]}.jsonl" for name in ("public", "standard")]
        (runs / f"votes-{at[3:]}.jsonl").write_text(owner.client.get(f"{at}/games/votes").text)
        monkeypatch.chdir(runs)
        for command, name in zip(commands, ("public", "standard"), strict=True):
            done(*command.split()[1:])
            found = People.model_validate_json((runs / name / PEOPLE).read_text())
            assert (found.models, found.people, found.same, found.unknown) == ({f"{name}:rl": "rl"}, 1, 5, 0)

    def test_what_is_wrong_is_told_with_its_line_and_nothing_is_kept(self, app: Starlette, owner: Visitor) -> None:
        at = arena_in(owner, pasted(1))
        wrong = f'{pasted(1, ["new"])}\n{{"prompt": "x", "answer": "y"}}\n{{"prompt": "x", "model": "z", "answer": ""}}'
        owner.get(f"{at}/arena")
        owner.send("/arena/answers", pasted=wrong)
        assert owner.status == 422 and "pasted.jsonl:2" in owner.page.text and "pasted.jsonl:3" in owner.page.text
        assert "/tmp" not in owner.page.text and "new" not in [one.model for one in rows(app, ArenaAnswer)]

    def test_what_no_database_keeps_becomes_the_sign_for_what_cannot_be_shown(
        self, app: Starlette, owner: Visitor
    ) -> None:
        """JSON can say NUL bytes and halves of surrogate pairs, which no form can."""
        odd = "\0 \x1b[31m \ud800"
        arena_in(owner, json.dumps({"prompt": "Hello \0?", "model": f"m {odd}", "answer": f"a {odd}"}))
        (answer,), (prompt,) = rows(app, ArenaAnswer), rows(app, ArenaPrompt)
        assert (answer.model, answer.text) == ("m \ufffd \ufffd[31m \ufffd", "a \ufffd \ufffd[31m \ufffd")
        assert prompt.turns[0]["text"] == "Hello \ufffd?"


def finished_run(folder: Path, answers: Sequence[str]) -> None:
    """A run that has answered, and nothing else."""
    with RunFolder.create(folder, load_run_config()) as run:
        prompts = begun(run, "prompts")
        turns = [(Turn(role="human", text=f"Question {nth}?"),) for nth in range(len(answers))]
        prompts.write_records("evals", [Prompt(id=f"p{n}", kind="harmful", turns=one) for n, one in enumerate(turns)])
        prompts.finish()
        stage = begun(run, "answers-rl")
        told = {"tokens": 1, "finished": True}
        said = [Answer(id=f"a{n}", prompt_id=f"p{n}", text=one, **told) for n, one in enumerate(answers)]
        stage.write_records("rows", said)
        stage.finish()


def games(owner: Visitor, at: str, file: str) -> list[dict[str, object]]:
    answer = owner.client.get(f"{at}/games/{file}")
    assert answer.status_code == 200 and answer.headers["content-disposition"].startswith("attachment")
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.parametrize("language", ["de", "ar"])
def test_judges_are_spoken_to_in_their_language(app: Starlette, at: str, language: str) -> None:
    judge = participant_in(app, at)
    for page in ("", "/compare", "/leave"):
        judge.get(f"{at}{page}?language={language}")
        assert judge.status == 200 and "Which answer is" not in judge.page.text and "Two answers" not in judge.page.text


def test_ratings_are_those_of_the_command_on_the_exported_games(
    app: Starlette, owner: Visitor, drawn: None, tmp_path: Path
) -> None:
    """Over HTTP: 8 judges vote, the page rates, and `solon elo` says the same of the files."""
    at = arena_in(owner, pasted())
    model_of = {one.id: one.model for one in rows(app, ArenaAnswer)}
    rng = np.random.default_rng(5)
    for _ in range(8):
        judge = participant_in(app, at)
        for _ in range(6):
            showing = newest(app, hidden(judge.response.text, "token"))
            models = model_of[showing.a_id], model_of[showing.b_id]
            judge.send("/compare", {name: say(rng, *(TASTES[name][one] for one in models)) for name in OBJECTIVES})
    assert len(rows(app, ArenaVote)) == 48
    page = owner.get(f"{at}/ratings")
    for objective, table in zip(OBJECTIVES, page.all("table"), strict=False):
        file = tmp_path / f"{objective}.jsonl"
        file.write_text(owner.client.get(f"{at}/games/{objective}").text)
        found = Elo.model_validate_json(done("elo", file, "--json"))
        assert found.games == 48 and {row.player for row in found.rows} == set(MODELS)
        shown = [[cell.text for cell in row.all("th", "td")] for row in table.all("tr")[1:]]
        assert shown == [
            [row.player, *map(rounded, (row.rating, row.low, row.high)), *map(str, (row.wins, row.ties, row.losses))]
            for row in found.rows
        ]
    judges = {str(row["judge"]) for row in games(owner, at, "helpfulness")}
    assert len(judges) == 8 and not judges & {str(one.number) for one in rows(app, Participant)}
    labels = games(owner, at, "comparisons")
    assert len(labels) == 96 and all(Comparison.model_validate(one).rater == "human" for one in labels)


def rounded(value: float | None) -> str:
    return "open" if value is None else f"{value:,.0f}"


TASTES = {
    "helpfulness": dict(zip(MODELS, (1150.0, 1000.0, 850.0), strict=True)),
    "harmlessness": dict(zip(MODELS, (900.0, 1000.0, 1100.0), strict=True)),
}


def hidden(page: str, name: str) -> str:
    found = re.search(f'name="{name}" value="([^"]+)"', page)
    assert found, page
    return found[1]


def newest(app: Starlette, token_: str) -> ArenaShowing:
    with the_site(app).database.session(writes=False) as db:
        return db.scalars(select(ArenaShowing).where(ArenaShowing.token == token_)).one()


def say(rng: np.random.Generator, a: float, b: float) -> str:
    """Davidson's model with v = 1."""
    weights = np.array([10 ** (a / 400), 10 ** (b / 400), 10 ** ((a + b) / 800)])
    return str(rng.choice(["a", "b", "tie"], p=weights / weights.sum()))
