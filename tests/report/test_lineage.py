"""Every link of a small run, back and forward, and whether it is exact."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from report.lineage_run import CHAIN, FIRST, SECOND, lineage_run
from solon.errors import RunError, UserError
from solon.pipeline.inputs import CONSTITUTION
from solon.report.lineage.lineage import lineage
from solon.report.lineage.records import Lineage, Step
from solon.report.lineage.tree import print_lineage


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lineage_run(tmp_path_factory.mktemp("lineage"))


def traced(run: Path, name: str, most: int = 9) -> Lineage:
    return lineage(run, name, most=most)


def leads(steps: Sequence[Step]) -> list[tuple[str, str, list[str]]]:
    """Link, words and full names of every step."""
    return [(step.link, step.says, [one.at for one in step.things]) for step in steps]


def ways(steps: Sequence[Step]) -> set[tuple[str, ...]]:
    """Every way to its end: links and full names in turn."""
    found = set()
    for step in steps:
        for one in step.things:
            further = ways(one.steps) or {()}
            found |= {(step.link, one.at, *way) for way in further}
    return found


def test_a_models_answer_leads_to_its_prompt_and_model_exactly_and_to_what_taught_it_by_association(run: Path) -> None:
    found = traced(run, "answers-rl/asked.evaluate-0")
    assert leads(found.back)[:2] == [
        ("exact", "answers the prompt", ["prompts/asked"]),
        ("exact", "was written by", ["models/rl"]),
    ]
    reached = ways(found.back)
    like = ("association", "prompts/theft")
    chain = ("exact", f"models/sl/{CHAIN}-1", "exact", f"revisions/{CHAIN}")
    assert (*like, *chain, "exact", f"constitution/{FIRST}", "exact", "statements/0") in reached
    verdict = ("exact", "comparisons/theft.pairs-0", "exact", f"constitution/{FIRST}", "exact", "statements/0")
    assert (*like, *verdict) in reached
    assert (*like, "exact", "models/rl/rl-1-0-0") in reached
    assert not any("prompts/other" in way or "prompts/rose" in way for way in reached)
    assert leads(found.forward) == [("exact", "was graded", ["scores/text.rl.asked"])]


def test_the_base_model_learnt_from_nothing_in_the_run(run: Path) -> None:
    assert leads(traced(run, "answers-base/asked.evaluate-0").back) == [
        ("exact", "answers the prompt", ["prompts/asked"])
    ]


def test_statements_carry_their_votes_by_group(run: Path) -> None:
    found = traced(run, "statements/0")
    assert found.thing.says == (
        "“AI should be helpful to everybody”; group 0: 6 agree, 0 disagree of 6 votes; group 1: 6 agree, 0 disagree of "
        "6 votes"
    )
    assert leads(found.forward) == [("exact", "became the principle", [f"constitution/{FIRST}"])]
    assert traced(run, "3").forward == ()  # opposed by one group


def test_a_principle_leads_forward_to_all_that_it_changed(run: Path) -> None:
    assert leads(traced(run, FIRST).forward) == [
        ("exact", "rounds of critique and revision under it", [f"revisions/{CHAIN}"]),
        ("exact", "revisions under it that changed the answer and were used", [f"revisions/{CHAIN}"]),
        ("exact", "these became examples of finetuning", [f"models/sl/{CHAIN}-1"]),
        ("exact", "comparisons judged by it", [f"comparisons/theft.pairs-{n}" for n in range(3)]),
        ("association", "models that learnt from these among others", ["models/sl", "models/pm", "models/rl"]),
    ]
    second = leads(traced(run, SECOND).forward)
    assert [says for _, says, _ in second] == [
        "rounds of critique and revision under it",
        "these became examples of finetuning",
        "models that learnt from these among others",
    ]


def test_steps_count_what_they_do_not_show(run: Path) -> None:
    found = traced(run, FIRST, most=1)
    judged = next(step for step in found.forward if step.says == "comparisons judged by it")
    assert (judged.total, len(judged.things)) == (3, 1)


def test_a_comparison_carries_its_origin(run: Path) -> None:
    found = traced(run, "theft.pairs-0")
    origin = found.thing.origin
    assert (found.thing.at, found.thing.kind) == ("comparisons/theft.pairs-0", "comparison")  # not the pair
    assert origin is not None and origin.constitution_sha256 is not None
    assert (origin.stage, origin.models, origin.seed) == ("comparisons", {"judge": "local:1234"}, 0)
    assert (origin.principle_ids, origin.constitution_is_the_stages, origin.prompt_hashes) == ((FIRST,), True, ("abc",))
    assert leads(found.back) == [
        ("exact", "answers the prompt", ["prompts/theft"]),
        ("exact", "both answers were written by", ["models/sl"]),
        ("exact", "was judged by the principle", [f"constitution/{FIRST}"]),
    ]
    chain = traced(run, CHAIN).thing.origin
    assert chain and (chain.principle_ids, chain.prompt_hashes) == ((FIRST, SECOND), ("c1", "r1", "r2"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("theft.pairs-0", "was among what trained"),
        ("theft.pairs-2", "was kept out of training, to measure the model:"),
        ("theft.pairs-1", None),
        ("rl-1-0-0", "was among what trained"),
        ("rl-2-0-0", "was sampled after the step whose weights were kept:"),
    ],
)
def test_what_a_training_left_out_did_not_teach_it(run: Path, name: str, told: str | None) -> None:
    found = [
        says
        for link, says, things in leads(traced(run, name).forward)
        if things[0].startswith("models/") and link == "exact"
    ]
    assert found == ([told] if told else [])


def test_rewards_lead_to_the_preference_model_exactly_and_to_comparisons_by_association(run: Path) -> None:
    assert leads(traced(run, "rl-1-0-0").back)[2:] == [
        ("exact", "was rewarded by the preference model", ["models/pm"]),
        (
            "association",
            "comparisons of the same prompt, among those that it learnt from",
            [f"comparisons/theft.pairs-{n}" for n in range(3)],
        ),
    ]


def test_prompts_twins_and_helpful_answers(run: Path) -> None:
    assert leads(traced(run, "rose-twin").back) == [("exact", "is the harmful twin of", ["prompts/rose"])]
    assert ("exact", "has the harmful twin", ["prompts/rose-twin"]) in leads(traced(run, "rose").forward)
    assert leads(traced(run, "models/sl/rose.helpful-0").back)[1:] == [
        ("exact", "is the assistant's answer", ["helpful/rose.helpful-0"])
    ]
    asked = {says: things for _, says, things in leads(traced(run, "theft").forward)}
    assert asked["rollouts in models/rl"] == ["models/rl/rl-1-0-0", "models/rl/rl-2-0-0"]


def test_a_model_leads_to_what_it_was_made_from(run: Path) -> None:
    found = leads(traced(run, "rl").back)
    assert found[0] == ("exact", "was made from the models", ["models/sl", "models/pm"])
    assert found[1][1] == "was given these rollouts to learn from"


def test_what_changed_since_is_an_association(tmp_path: Path) -> None:
    """Another question of a principle: the label was given by the one before."""
    run = lineage_run(tmp_path)
    kept = json.loads((run / CONSTITUTION).read_text())
    kept["principles"][0]["comparison_question"] = "Which answer is longer?"
    (run / CONSTITUTION).write_text(json.dumps(kept))
    found = traced(run, "theft.pairs-0")
    assert found.thing.origin and found.thing.origin.constitution_is_the_stages is False
    assert leads(found.back)[2][:2] == (
        "association",
        "was judged by the principle (the constitution has changed since)",
    )
    assert ("association", "was made of the public's statements", ["statements/0"]) in leads(traced(run, FIRST).back)
    assert len(found.notes) == 1 and "was changed after" in found.notes[0]


def test_without_the_trace_the_way_ends_at_the_principle_and_says_so(tmp_path: Path) -> None:
    run = lineage_run(tmp_path)
    (tmp_path / "public.trace.json").rename(tmp_path / "moved.trace.json")
    found = traced(run, FIRST)
    assert found.back == ()
    assert found.notes == (
        f"there is no {tmp_path}/public.trace.json, which would lead on to statements and votes; see --constitution",
    )
    assert lineage(run, FIRST, most=3, constitution=tmp_path / "moved.toml").back != ()


def test_an_id_of_several_things_lists_them(run: Path) -> None:
    with pytest.raises(UserError) as caught:
        traced(run, "asked.evaluate-0")
    assert str(caught.value).splitlines() == [
        "3 things are called `asked.evaluate-0` (give the full name of one of these)",
        *(f"`answers-{model}/asked.evaluate-0`: answer" for model in ("base", "sl", "rl")),
    ]


def test_an_unknown_id_names_the_nearest_and_every_kind(run: Path) -> None:
    with pytest.raises(UserError) as caught:
        traced(run, "thefts")
    said = str(caught.value)
    assert said.startswith(f"nothing in {run} has the id `thefts` (did you mean `theft`?; there are prompt: ")
    for kind in ("revision", "answer", "comparison", "rollout", "principle", "statement", "model"):
        assert f"{kind}: `" in said


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    run = lineage_run(tmp_path)
    with open(run / "comparisons" / "rows.jsonl", "a") as file:
        file.write("{}\n")
    with pytest.raises(RunError, match="not what stage comparisons made"):
        traced(run, FIRST)


def test_the_tree_tells_links_apart_and_does_not_command_the_terminal(run: Path) -> None:
    shown = StringIO()
    print_lineage(traced(run, "answers-rl/asked.evaluate-0"), Console(file=shown, width=200))
    text = shown.getvalue()
    assert "exact: answers the prompt" in text and "association only: training prompts" in text
    found = traced(run, "theft")
    hostile = found.model_copy(update={"thing": found.thing.model_copy(update={"says": "\x1b[31m [bold]x"})})
    shown = StringIO()
    print_lineage(hostile, Console(file=shown, width=200))
    assert "\x1b" not in shown.getvalue() and "\\x1b[31m [bold]x" in shown.getvalue()
