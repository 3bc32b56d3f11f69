"""A file of written prompts is whole or not there, the same after any kill, and what a run reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from feedback.fake_model import sampler
from solon.config.prompts import PromptsSection
from solon.data.example_prompts import ExamplePrompt
from solon.errors import EngineUnavailableError, TimedOutError, UserError
from solon.feedback.prompt_writing import Kind
from solon.feedback.rows import Sampler
from solon.lm.engines.scripted import ScriptedModel, babble
from solon.lm.protocols import SampleRequest, Sampling
from solon.pipeline import prompt_writing
from solon.pipeline.prompt_writing import Account, Order, account_of, write_prompts
from solon.pipeline.sources import prompt_sets
from solon.progress import Reporter
from solon.records import Demonstration

EXAMPLES = [ExamplePrompt(text=f"How do I take {n}?", category=n, source=f"red.txt:{n}") for n in ("a", "b", "c")]


def five(request: SampleRequest) -> str:
    """Five babbled prompts; the reply to every third request holds an answer, too."""
    lines = [babble(SampleRequest(prompt="", seed=request.seed // 8 + n, max_new_tokens=9)) for n in range(5)]
    return "\n".join([*lines[:4], "Sure! Here is one."] if request.seed % 3 == 0 else lines)


def order(kind: Kind = "red-team", **changes: Any) -> Order:
    return Order(**{"kind": kind, "count": 30, "examples": EXAMPLES, "not_like": (), "tries": 2, **changes})


def write(out: Path, reply: Callable[[SampleRequest], str] = five, *, asked: Order | None = None) -> Account:
    asked = asked or order()
    model = ScriptedModel(reply)
    return write_prompts(asked, writer(model, asked.kind), out, Reporter(StringIO()))


def writer(model: ScriptedModel, kind: str) -> Sampler:
    return sampler(model, Sampling(max_new_tokens=100), f"prompts-{kind}", seed=3)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_row_tells_where_it_came_from(tmp_path: Path) -> None:
    account = write(tmp_path / "red.jsonl")
    found = rows(tmp_path / "red.jsonl")
    assert len(found) == account.counts.rows_out == 30
    assert {key: found[0][key] for key in ("kind", "category", "written_by", "seed", "request", "shown")} == {
        "kind": "harmful",
        "category": "a",
        "written_by": "scripted",
        "seed": 3,
        "request": 0,
        "shown": ["red.txt:a"],
    }
    assert account.categories == {name: sum(row["category"] == name for row in found) for name in ("a", "b", "c")}
    assert account.counts.rows_in == 30 + sum(account.counts.dropped.values()) <= 5 * account.requests
    assert account.counts.dropped["not a prompt"] > 0
    assert account == Account.model_validate_json(account_of(tmp_path / "red.jsonl").read_bytes())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["red.jsonl", "red.jsonl.account.json"]


def test_a_killed_command_goes_on_to_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompt_writing, "BATCH", 4)
    write(tmp_path / "whole.jsonl")
    asked: list[SampleRequest] = []

    def killed(request: SampleRequest) -> str:
        asked.append(request)
        if len(asked) % 7 == 0:
            raise KeyboardInterrupt
        return five(request)

    out = tmp_path / "killed.jsonl"
    while not out.exists():
        try:
            write(out, killed)
        except KeyboardInterrupt:
            assert not out.exists() and (tmp_path / "killed.jsonl.partial").is_dir()
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert account_of(out).read_bytes() == account_of(tmp_path / "whole.jsonl").read_bytes()
    assert len(asked) < 2 * Account.model_validate_json(account_of(out).read_bytes()).requests


def test_a_model_that_gives_too_few_is_asked_so_often_and_no_more(tmp_path: Path) -> None:
    out = tmp_path / "red.jsonl"
    with pytest.raises(UserError) as error:
        write(out, lambda request: "How do I take a?", asked=order(tries=1))
    assert str(error.value) == (
        "the model gave 0 of 30 prompts in 30 requests (left out: duplicate: 30) (all replies are kept: ask for more "
        f"with --tries 2; or delete {out}.partial, and give other examples, another model or other sampling)"
    )
    assert not out.exists()
    write(out, asked=order(tries=2))
    assert rows(out)[0]["request"] == 30


def test_an_engine_that_loses_most_requests_is_asked_for_them_again(tmp_path: Path) -> None:
    out = tmp_path / "red.jsonl"

    def gone(request: SampleRequest) -> str:
        raise TimedOutError("no reply within 60 s")

    with pytest.raises(EngineUnavailableError, match=r"15 of 15 requests were lost \(see to the engine, then give the"):
        write(out, gone)
    write(out)
    assert rows(out)[0]["request"] == 0
    write(tmp_path / "whole.jsonl")
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_what_is_there_is_not_touched(tmp_path: Path) -> None:
    out = tmp_path / "red.jsonl"
    with pytest.raises(UserError):
        write(out, lambda request: "", asked=order(count=1))
    with pytest.raises(UserError) as error:
        write(out, asked=order(count=1, not_like=("Who?",), kind="helpful"))
    told = str(error.value)
    assert told.startswith(
        f'{out}.partial holds replies to other requests: kind was "red-team", now "helpful"; not_like'
    )
    assert told.endswith(f"(delete {out}.partial, or choose another file with -o)")
    out.write_text("mine")
    with pytest.raises(UserError) as error:
        write(out)
    assert str(error.value) == f"{out} is there already (choose another file with -o, or delete it)"
    assert out.read_text() == "mine"
    with pytest.raises(UserError) as error:
        write(out / "red.jsonl")
    assert str(error.value).endswith(": Not a directory (choose another file with -o)")


def test_a_run_takes_its_prompts_from_both_files(tmp_path: Path) -> None:
    write(tmp_path / "red.jsonl")
    write(tmp_path / "good.jsonl", asked=order("helpful"))
    with (tmp_path / "good.jsonl").open("a") as file:
        file.write('{"prompt": "Who?", "response": "Nobody."}\n')
    section = PromptsSection(
        source=str(tmp_path / "red.jsonl"), helpful=str(tmp_path / "good.jsonl"), harmful=20, benign=100, evaluation=5
    )
    sets = prompt_sets(section, 0)
    assert len(sets.red_team) == 20 and {prompt.kind for prompt in sets.red_team} == {"harmful"}
    assert len(sets.helpful) + sum(prompt.kind == "benign" for prompt in sets.evaluation) == 31
    assert {prompt.kind for prompt in sets.helpful} == {"benign"} and len(sets.helpful) > 20
    assert sets.comparisons == () and all(isinstance(one, Demonstration) for one in sets.demonstrations)
    assert sets.rows_in == sets.rows_out + sum(sets.dropped.values())
