"""Runs whose judge, or assistant, sits on a server."""

from __future__ import annotations

import hashlib
import json
import math
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lm.server import PROSE, Asked, Fault, Habits, Server, serving
from pipeline.tiny_run import manifest, rows, run_in, world_config
from solon.artifacts.reuse import OtherRuns
from solon.config.feedback import JudgeSection
from solon.config.run import RunConfig
from solon.errors import EngineUnavailableError, UnscoredError, UserError
from solon.lm.endpoint import model as model_module
from solon.pipeline.check import check_inputs
from tiny_models import tiny_model_folder

TOP = {"A": -0.2, "B": -1.9}
SURE = 1 / (1 + math.exp(-1.7))
"""With `A` at -0.2 and `B` at -1.9, A is preferred with 0.85, or 0.15 where the answers stood the other way."""


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_module, "PAUSE", 0.001)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model_folder(tmp_path_factory.mktemp("model"), "llama")


@pytest.fixture(scope="module")
def pairs(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has all that a judge is asked about."""
    folder = tmp_path_factory.mktemp("runs") / "pairs"
    run_in(folder, world_config(llama), until="pairs")
    return folder


def judged(llama: Path, server: Server, *settings: str) -> RunConfig:
    on_server = (f"models.judge.path={server.url}#m", "models.judge.engine=endpoint")
    return world_config(llama, *on_server, *settings)


def compared(folder: Path, pairs: Path, config: RunConfig) -> list[float | None]:
    """The labels of a run that takes over all before the judge."""
    run_in(folder, config, until="comparisons", others=OtherRuns(named=(pairs,)))
    return [row["p_a_preferred"] for row in rows(folder, "comparisons")]


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_verdicts_come_from_the_server(llama: Path, pairs: Path, tmp_path: Path, api: str) -> None:
    with serving(Habits(top=TOP)) as server:
        config = judged(llama, server, f"models.judge.endpoint.api={api}")
        check_inputs(config)
        labels = compared(tmp_path / "run", pairs, config)
        assert labels and {round(label or 0, 6) for label in labels} <= {round(SURE, 6), round(1 - SURE, 6)}
        made = manifest(tmp_path / "run", "comparisons")
        assert made.facts["engines"] == {"judge": f"endpoint:{server.url}#m"}
        begun = {"judge": f"{api}; replies are begun; verdicts from the 20 likeliest tokens"}
        assert made.facts["manners"] == begun
        assert made.facts["formats"]["judge"]["kind"] == ("messages" if api == "chat" else "human-assistant")  # type: ignore[index,call-overload]
        assert {row["method"] for row in rows(tmp_path / "run", "comparisons")} == {"logprob"}
        asked = [one["messages"][-1]["content"] if api == "chat" else one["prompt"] for one in server.asked]
        assert sum(text.endswith("The answer is: (") for text in asked) == len(labels)


def test_a_bound_is_less_sure_and_counted(llama: Path, pairs: Path, tmp_path: Path) -> None:
    with serving(Habits(top={"A": -0.2, " the": -1.9})) as server:
        labels = compared(tmp_path / "run", pairs, judged(llama, server))
    assert labels and {round(label or 0, 6) for label in labels} <= {round(SURE, 6), round(1 - SURE, 6)}
    other = manifest(tmp_path / "run", "comparisons").counts.other
    assert other == {"label from a bound on one log-probability": len(labels)}


def test_without_log_probabilities_verdicts_are_sampled_and_say_so(llama: Path, pairs: Path, tmp_path: Path) -> None:
    """Of 4 samples, one is prose and 2 of the other 3 name (A): (2 + 1/2) / (3 + 1)."""
    said = iter(["(A)", "The answer is: (A)", "B.", PROSE] * 1000)
    habits = Habits(
        reply=lambda request: next(said) if "alone." in request.prompt else "Yes.",
        logprobs="passed over",
        continues=False,
    )
    with serving(habits) as server:
        config = judged(llama, server, "models.judge.endpoint.samples=4", "models.judge.endpoint.concurrency=1")
        labels = compared(tmp_path / "run", pairs, config)
    assert labels and {round(label or 0, 6) for label in labels} <= {0.625, 0.375}
    made = manifest(tmp_path / "run", "comparisons")
    assert {row["method"] for row in rows(tmp_path / "run", "comparisons")} == {"sampled"}
    assert "verdicts from 4 sampled replies" in made.facts["manners"]["judge"]  # type: ignore[index,call-overload,operator]
    assert made.counts.other == {"sampled verdicts that named no option": len(labels)}


def test_prose_is_no_verdict(llama: Path, pairs: Path, tmp_path: Path) -> None:
    with serving(Habits(reply=lambda request: PROSE, logprobs="refused")) as server:
        labels = compared(tmp_path / "run", pairs, judged(llama, server, "judge.max_unscored=1.0"))
    assert labels and set(labels) == {None}
    assert all(PROSE in row["raw"] for row in rows(tmp_path / "run", "comparisons"))
    other = manifest(tmp_path / "run", "comparisons").counts.other
    assert other == {"unscored: prose for a verdict": len(labels)}


def test_a_gate_that_only_babbles_stops_the_run_before_it_trains(llama: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with serving(Habits(reply=lambda request: PROSE, logprobs="refused")) as server:
        config = judged(llama, server, "supervised.gate=true", "models.judge.endpoint.samples=1")
        with pytest.raises(
            UnscoredError, match=r"of \d+ comparisons could not be read \(the verdict could not be read: "
        ):
            run_in(run, config, until="sl")
        assert not (run / "models/sl").exists()
        run_in(run, config.model_copy(update={"judge": JudgeSection(orders="random", max_unscored=1.0)}), until="sl")
    alone = "no revision is left to learn from: SL-CAI learns from helpful answers alone"
    assert alone in manifest(run, "models/sl").notes


KINDS: tuple[Fault, ...] = ("429", "500", "reset", "html", "truncated", "slow", "no logprobs", "no choices")


def three_in_ten(asked: Asked, times: int) -> Fault | None:
    """By what is asked and how often, so that a run that meets faults meets the same again."""
    drawn = hashlib.sha256(f"{json.dumps(asked, sort_keys=True)} {times}".encode()).digest()
    return KINDS[drawn[1] % len(KINDS)] if drawn[0] < 0.3 * 256 else None


def test_three_calls_in_ten_go_wrong(llama: Path, pairs: Path, tmp_path: Path) -> None:
    """The run completes, with the labels of a good day, and counts what the server did."""
    by_text = Habits(top=TOP)
    settings = ("models.judge.endpoint.timeout=0.5", "judge.orders=both", "pairs.per_prompt=3")
    run_in(tmp_path / "pairs", world_config(llama, *settings[2:]), until="pairs")
    with serving(by_text) as server:
        calm = compared(tmp_path / "calm", tmp_path / "pairs", judged(llama, server, *settings))
    with serving(by_text, faults=three_in_ten) as server:
        assert compared(tmp_path / "run", tmp_path / "pairs", judged(llama, server, *settings)) == calm
        requests = manifest(tmp_path / "run", "comparisons").timing.requests
        spoiled, asked = server.spoiled, len(server.asked)
    names = {"reset": "connection broke", "html": "no JSON", "truncated": "no JSON", "slow": "timed out"}
    names["no logprobs"] = "no log-probabilities"
    counted = {names.get(fault, fault): 0 for fault in spoiled}
    for fault, number in spoiled.items():
        counted[names.get(fault, fault)] += number
    failed = {name.removeprefix("failed: "): number for name, number in requests.items() if name.startswith("failed")}
    assert requests["sent"] == asked and sum(spoiled.values()) > 0.15 * asked
    # A reply without log-probabilities that nobody had asked for is a good one.
    assert {name: number for name, number in failed.items() if name != "no log-probabilities"} == {
        name: number for name, number in counted.items() if name != "no log-probabilities"
    }


def answered(llama: Path, server: Server, *settings: str) -> RunConfig:
    on_server = (f"models.assistant.path={server.url}#m", "models.assistant.engine=endpoint")
    return world_config(llama, f"models.base={llama}", *on_server, *settings)


def data(run: Path) -> dict[str, bytes]:
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in sorted(run.rglob("*.jsonl"))}


@pytest.fixture
def deterministic() -> Iterator[Server]:
    with serving(Habits(), delay=0.01) as server:
        yield server


def test_killed_in_the_middle_it_ends_with_the_same_bytes(deterministic: Server, llama: Path, tmp_path: Path) -> None:
    """And no shard that was finished is asked for again."""
    server, run = deterministic, tmp_path / "run"
    config = answered(llama, server, "sampling.shard_rows=3")
    run_in(tmp_path / "whole", config, until="revisions")
    whole = len(server.asked)
    server.asked.clear()
    child = multiprocessing.get_context("fork").Process(
        target=run_in, args=(run, config), kwargs={"until": "revisions"}
    )
    child.start()
    while not (run / "revisions" / "rows-00000.jsonl").exists():
        time.sleep(0.005)
        assert child.is_alive()
    time.sleep(0.02)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert not (run / "revisions" / "manifest.json").exists()
    run_in(run, config, until="revisions")
    assert data(run) == data(tmp_path / "whole")
    assert len(server.asked) <= whole + 3 * 5 + 5, "a shard of three chains, and what opening asks"


def test_a_limit_is_not_exceeded_and_can_be_raised(deterministic: Server, llama: Path, tmp_path: Path) -> None:
    limit = "models.assistant.endpoint.max_tokens="
    run, server = tmp_path / "run", deterministic
    with pytest.raises(EngineUnavailableError, match=r"might exceed max_tokens = 4,000 \(3,\d\d\d are spent\)"):
        run_in(run, answered(llama, server, f"{limit}4000"), until="revisions")
    first = json.loads((run / "spent-assistant.json").read_bytes())
    assert first["read"] + first["written"] <= 4000
    asked = len(server.asked)
    run_in(run, answered(llama, server, f"{limit}1000000"), until="revisions")
    last = json.loads((run / "spent-assistant.json").read_bytes())
    assert last["read"] > first["read"] and len(server.asked) > asked
    made = manifest(run, "revisions")
    assert made.timing.requests["tokens read"] <= last["read"]
    assert made.counts.rows_out == made.counts.rows_in


def test_no_key_in_any_artifact(
    llama: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-secret-7")
    with serving(
        Habits(key="sk-secret-7", top=TOP), faults=lambda asked, times: "500" if times == 0 else None
    ) as server:
        config = judged(llama, server, "models.judge.endpoint.key=JUDGE_KEY")
        check_inputs(config)
        assert compared(tmp_path / "run", pairs, config)
    held = [path.name for path in (tmp_path / "run").rglob("*") if path.is_file() and b"secret" in path.read_bytes()]
    assert not held and "secret" not in "".join(capfd.readouterr())


# Before a run.


def told(config: RunConfig, run: Path | None = None) -> str:
    with pytest.raises(UserError) as error:
        check_inputs(config, run=run)
    return str(error.value)


def test_a_server_is_looked_for_before_a_run_begins(llama: Path) -> None:
    with serving() as server:
        config = judged(llama, server)
    assert told(config).startswith(f"{server.url} cannot be reached: ") and "\n" not in told(config)


def test_and_not_once_it_is_needed_no_more(llama: Path, pairs: Path, tmp_path: Path) -> None:
    with serving(Habits(top=TOP)) as server:
        config = judged(llama, server)
        compared(tmp_path / "run", pairs, config)
    check_inputs(config, run=tmp_path / "run")
    assert "cannot be reached" in told(config, pairs)


def test_what_a_server_does_not_take_is_told_before_a_run_begins(llama: Path) -> None:
    class Cool(Habits):
        def answer(self, path: str, asked: Asked, key: str | None) -> tuple[int, object]:
            if asked.get("temperature", 1.0) != 1.0:
                return 400, {"error": {"message": "only a temperature of 1 is supported"}}
            return super().answer(path, asked, key)

    with serving(Cool()) as server:
        assert told(judged(llama, server, "sampling.temperature=0.5", "sft.helpful_per_prompt=1")) == (
            "models.judge: the server does not take the request: only a temperature of 1 is supported "
            "(see to the server or the model)"
        )


def test_what_is_finetuned_cannot_sit_on_a_server(llama: Path) -> None:
    with serving() as server:
        config = world_config(llama, f"models.base.path={server.url}#m", "models.base.engine=endpoint")
        said = (
            "models.base is to be finetuned, but the engine endpoint has no weights (set models.base to a model folder)"
        )
        assert told(config) == said
