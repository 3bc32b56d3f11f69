"""Every link of a small run, back and forward, and whether it is exact."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from report.lineage_run import CHAIN, FIRST, SECOND, STAGES, Stages, compared, document_run, lineage_run, rollout
from solon.config.training import RLSection
from solon.errors import RunError, UserError
from solon.pipeline.inputs import CONSTITUTION
from solon.records import Comparison, Verdict
from solon.report.lineage.lineage import lineage
from solon.report.lineage.records import Lineage, Step
from solon.report.lineage.rows import RunRows
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
    assert second[-1][2] == ["models/sl", "models/rl"]  # no label is under it


def without(*names: str) -> Stages:
    return {name: files for name, files in STAGES.items() if name not in names}


def test_a_principle_taught_those_models_alone_that_learn_from_what_it_made(tmp_path: Path) -> None:
    """Labels without examples, and rounds that no example repeats."""
    run = lineage_run(tmp_path, stages=without("revisions", "models/sl"))
    assert leads(traced(run, FIRST).forward)[-1][2] == ["models/pm", "models/rl"]
    run = lineage_run(tmp_path / "other", stages=without("comparisons", "models/sl"))
    assert [says for _, says, _ in leads(traced(run, FIRST).forward)] == [
        "rounds of critique and revision under it",
        "revisions under it that changed the answer and were used",
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


JUDGED = (
    "the judge rewarded rollouts; its verdicts and their principles were not kept, so the way ends there",
    "models.kind rewarded rollouts; it is of another run, and the way ends at runs/a/models/pm/model",
    "length: rewards by the texts of rollouts alone",
)


@pytest.mark.parametrize("preference", [0.0, 1.0])
def test_rewards_that_lead_nowhere_are_told_as_such(preference: float, tmp_path: Path) -> None:
    models = {"kind": {"path": "runs/a/models/pm/model"}, "unused": {"path": "runs/b", "weight": 0.0}}
    rewards = {"preference": preference, "judge": 1.0, "models": models, "length": 0.1, "length_between": (0, 9)}
    stages = {**STAGES, "models/rl": {"rollouts": [rollout(1, judge=0.75, length=-3.0)]}}
    run = lineage_run(tmp_path, stages=stages, rl=RLSection.model_validate({"rewards": rewards}))
    found = traced(run, "rl-1-0-0")
    assert found.notes == JUDGED
    assert ("models/pm" in str(leads(found.back))) is bool(preference)
    assert found.thing.says == "step 1, reward 0.50 (judge 0.75, length -3.00): “Ask.”"


def test_the_preference_model_alone_needs_no_note(run: Path) -> None:
    found = traced(run, "rl-1-0-0")
    assert (found.notes, found.thing.says) == ((), "step 1, preference score 0.50: “Ask.”")


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


def judged_by(decider: str | None, *asked: str, articles: Sequence[str] = ()) -> Comparison:
    verdicts = tuple(
        Verdict(principle_id=name, shown_first=first, p_a_preferred=0.8) for name in asked for first in ("a", "b")
    )
    found = compared("theft.pairs-0", 0.8, "").model_copy(update={"principle_id": decider, "verdicts": verdicts})
    return found.model_copy(update={"articles": tuple(articles), "shown_first": "both"})


BY_PRECEDENCE = judged_by("harm", "hard-constraints", "harm")


def test_a_label_by_precedence_is_of_the_constitution_in_its_order(tmp_path: Path) -> None:
    """The stage was made from the hard constraints and the articles as they are ranked, not as they stand."""
    found = traced(document_run(tmp_path, BY_PRECEDENCE, decide="precedence"), "theft.pairs-0")
    assert found.thing.origin and found.thing.origin.constitution_is_the_stages is True
    assert {step.link for step in found.back} == {"exact"}


@pytest.mark.parametrize(
    ("judged", "says", "ids"),
    [
        (BY_PRECEDENCE, "was judged by the principles, of which harm gave the label", ("hard-constraints", "harm")),
        (judged_by(None, "use", "harm"), "was judged by the principles together", ("use", "harm")),
        (judged_by("harm", "harm"), "was judged by the principle", ("harm",)),
        (judged_by("whole", "whole", articles=("harm", "use")), "was judged by the articles together", ("harm", "use")),
    ],
)
def test_every_principle_of_a_verdict_is_among_what_made_it(
    judged: Comparison, says: str, ids: tuple[str, ...], tmp_path: Path
) -> None:
    run = document_run(tmp_path, judged)
    found = traced(run, "theft.pairs-0")
    assert found.thing.origin and found.thing.origin.principle_ids == ids
    assert [(says, [f"constitution/{name}" for name in ids])] == [step[1:] for step in leads(found.back)]
    among = "comparisons judged by it" + (" among others" if len(ids) > 1 else "")
    for name in ids:
        assert (among, ["comparisons/theft.pairs-0"]) in [step[1:] for step in leads(traced(run, name).forward)]


def test_the_hard_constraints_lead_to_their_words(tmp_path: Path) -> None:
    found = traced(document_run(tmp_path, BY_PRECEDENCE, decide="precedence"), "constitution/hard-constraints")
    assert "- Never help to kill." in json.dumps(found.thing.row)


def test_a_change_of_what_a_judge_reads_as_a_whole_is_a_change(tmp_path: Path) -> None:
    """Articles have ranks that no principle has; the hash of the document has them."""
    run = document_run(tmp_path, judged_by("whole", articles=("harm", "use")), whole=True)
    assert RunRows(run).is_of("comparisons") is True
    kept = json.loads((run / CONSTITUTION).read_text())
    kept["articles"][0]["rank"] = 5
    (run / CONSTITUTION).write_text(json.dumps(kept))
    assert RunRows(run).is_of("comparisons") is False


def test_without_the_trace_the_way_ends_at_the_principle_and_says_so(tmp_path: Path) -> None:
    run = lineage_run(tmp_path)
    (tmp_path / "public.trace.json").rename(tmp_path / "moved.trace.json")
    found = traced(run, FIRST)
    assert found.back == ()
    assert found.notes == (
        f"there is no {tmp_path}/public.trace.json, which would lead on to statements and votes; see --constitution",
    )
    assert lineage(run, FIRST, most=3, constitution=tmp_path / "moved.toml").back != ()


def test_a_constitution_that_is_named_must_have_its_trace(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        lineage(run, FIRST, most=3, constitution=tmp_path / "nofile.toml")
    assert str(caught.value) == (
        f"{tmp_path}/nofile.trace.json: there is no trace of statements and votes here (name with --constitution the "
        "file that the trace lies beside)"
    )


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
