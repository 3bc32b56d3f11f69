"""Examples: every row is a card that says what was made of it, and no page holds more than it can."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from markupsafe import Markup

from report.sample import manifest, sample_data
from solon.config.load import load_run_config
from solon.evals.conflicts import Conflict, Principles
from solon.evals.statistics import wilson
from solon.records import Gate, Prompt, RevisionRound, Turn
from solon.report.html import render_report
from solon.report.run.cards import LONGEST, Grades, chain, clipped, compared
from solon.report.run.changes import marked
from solon.report.run.examples import FACETS, attributes, fitting, options, readings
from solon.report.run.spread import spread
from solon.report.run.training import rl_charts


def test_spread_is_even_and_keeps_the_first() -> None:
    assert spread("abcd", 2) == ["a", "c"]
    assert spread("abc", 5) == ["a", "b", "c"]
    assert spread(range(100), 4) == [0, 25, 50, 75]


def test_every_card_leads_back_to_its_prompt_and_its_facets_are_options() -> None:
    data = sample_data(3)
    found = readings(data)
    assert [(one.key, one.total) for one in found] == [
        ("chains", 9),
        ("answers", 9),
        ("comparisons", 9),
        ("rollouts", len(data.rollouts)),
    ]
    known = options(found, data)
    assert set(known) == set(FACETS)
    for card in (card for one in found for card in one.cards):
        assert card.prompt_id in data.prompts
        for facets in (card.facets, *(piece.facets for piece in card.pieces)):
            assert all(value in known[name] for name, values in facets.items() for value in values)
    assert known["round"] == sorted(known["round"], key=int)
    assert known["principle"] == ["no-harm", "kind", "open"], "in the order of the constitution"


def test_a_chain_carries_the_grade_of_each_round() -> None:
    data = sample_data(3)
    scores = {(row.item, row.model): row for row in data.scores if row.grader == "oracle"}
    grades = Grades(data.summary, data.scores)
    for row in data.revisions:
        for number, piece in enumerate(chain(row, grades).pieces):
            values = scores[row.prompt_id, f"assistant@{number}"].values
            assert values is not None
            names = ("harmful", "evasive", "preachy", "rude", "malformed", "objection", "helpful")
            assert {style for style, _ in piece.chips} - {"mute"} == {f"s-{name}" for name in names if values[name]}
            assert ("theft" in piece.facets["category"]) == bool(values["harms.theft"])


def test_what_a_gate_did_not_keep_is_dropped_and_what_no_verdict_was_read_of() -> None:
    data = sample_data(7)
    step = RevisionRound(principle_id="kind", critique="c", revision="r", prompt_hash="")
    refused = step.model_copy(update={"gate": Gate(p_preferred=0.4)})
    row = data.revisions[0].model_copy(update={"rounds": (step, refused)})
    kept = [piece.facets.get("kept") for piece in chain(row, Grades(data.summary, data.scores)).pieces]
    assert kept == [None, ["kept"], ["dropped"]]
    held = data.comparisons[0].id
    (judged,) = (one for one in readings(replace(data, held_out=frozenset([held]))) if one.key == "comparisons")
    fates = {card.id: card.facets["kept"] for card in judged.cards}
    unscored = [row.id for row in data.comparisons if row.p_a_preferred is None]
    assert unscored and all(fates[name] == ["dropped"] for name in unscored)
    assert fates[held] == ["held out"]


def test_prompts_that_a_stage_kept_nothing_of_are_listed_with_its_reasons() -> None:
    data = sample_data(2)
    lost = "train-harmful-1"
    some = replace(
        data,
        red_team=[row.prompt_id for row in data.revisions],
        revisions=[row for row in data.revisions if row.prompt_id != lost],
        manifests=[manifest("revisions", 6)],
    )
    (found,) = (one for one in readings(some) if one.key == "left-out")
    (card,) = found.cards
    assert (
        card.prompt_id == lost and card.caution.startswith("revisions kept nothing of it") and "cut off" in card.caution
    )


def test_a_stage_is_not_accused_of_prompts_that_it_was_not_given() -> None:
    data = sample_data(2)
    scenario, *asked = [row.prompt_id for row in data.revisions]
    some = replace(data, red_team=asked, scenarios=[scenario], pairs=(), manifests=[manifest("pairs", 6)])
    (found,) = (one for one in readings(some) if one.key == "left-out")
    assert [card.prompt_id for card in found.cards] == asked
    with_helpful = load_run_config(None, ["pairs.helpful_per_prompt=1"])
    more = replace(some, helpful=[scenario], config=with_helpful)
    (found,) = (one for one in readings(more) if one.key == "left-out")
    assert [card.prompt_id for card in found.cards] == [*asked, scenario]
    chains = replace(some, revisions=(), manifests=[manifest("revisions", 6)])
    (found,) = (one for one in readings(chains) if one.key == "left-out")
    assert {card.prompt_id for card in found.cards} == {scenario, *asked}


def test_a_pair_without_a_preference_has_no_winner() -> None:
    row = sample_data(1).comparisons[0]
    won = {
        p: [piece.won for piece in compared(row.model_copy(update={"p_a_preferred": p}), held_out=False).pieces]
        for p in (0.55, 0.45, 0.9, 0.1)
    }
    assert won == {0.55: [False, False], 0.45: [False, False], 0.9: [True, False], 0.1: [False, True]}


def test_a_list_has_a_budget_of_characters() -> None:
    data = sample_data(8)
    cards = [chain(row, Grades(data.summary, data.scores)) for row in data.revisions]
    size = sum(card.size for card in cards)
    found = fitting(cards, {}, size // 3)
    assert 0 < sum(card.size for card in found) <= size // 3 and found[0] is cards[0]
    assert fitting(cards[:1], {}, 1) == cards[:1], "one is always shown"
    assert len(fitting(cards, data.prompts, size)) < len(cards), "prompts count too"
    assert len(clipped("<" * (LONGEST + 5))) < 5 * LONGEST and "5 more characters" in clipped("x" * (LONGEST + 5))


def test_values_of_facets_never_stand_in_attributes() -> None:
    value = '"><script>'
    assert (
        attributes({"principle": [value, "b"], "kept": []}, {"principle": ["a", "b", value]}) == ' data-principle="2 1"'
    )


def test_changes_are_sentences_or_the_words_of_one_that_was_touched_up() -> None:
    assert marked("Take it. Run.", "Ask for it. Run.") == "<del>Take it. </del><ins>Ask for it. </ins>Run."
    touched = marked("I went to the old mill today.", "I went to the new mill today.")
    assert touched == "I went to the <del>old</del><ins>new</ins> mill today."
    assert marked("<b>a</b>.", "<b>a</b>.") == Markup("&lt;b&gt;a&lt;/b&gt;.")
    hostile = marked("<img src=x>. One.", "<script>x</script>. One.")
    assert "<img" not in hostile and "<script" not in hostile
    assert marked("", "New.") == "<ins>New.</ins>" and marked("Old.", "") == "<del>Old.</del>"


def test_the_page_of_a_huge_run_stays_below_ten_megabytes() -> None:
    """Many rows, long answers that grow when they are escaped, long dialogues, many steps, many principles."""
    data, many = sample_data(2, steps=2), 700
    long = "<&> " * 5000
    turns = tuple(Turn(role=role, text=long) for role in ("human", "assistant") * 30)[:-1]
    asked = {f"p{n}": Prompt(id=f"p{n}", kind="harmful", turns=turns) for n in range(many)}
    assert data.summary.rl is not None and data.constitution is not None
    names = [f"principle-{n}" for n in range(150)]
    pairs = [
        Conflict(first=a, second=b, n=9, distance=0.1, decided=9, conflicts=wilson(3, 9))
        for a, b in combinations(names, 2)
    ]
    step = data.summary.rl.steps[0]
    steps = tuple(step.model_copy(update={"step": n}) for n in range(5000))
    summary = data.summary.model_copy(update={"rl": data.summary.rl.model_copy(update={"steps": steps})})
    huge = replace(
        data,
        summary=summary,
        prompts=asked,
        revisions=[data.revisions[0].model_copy(update={"prompt_id": name, "initial": long}) for name in asked],
        comparisons=[data.comparisons[0].model_copy(update={"prompt_id": name, "a": long}) for name in asked],
        rollouts=[data.rollouts[0].model_copy(update={"prompt_id": name, "text": long}) for name in asked],
        answers={"rl": [data.answers["rl"][0].model_copy(update={"prompt_id": name, "text": long}) for name in asked]},
        principles=Principles(pairs=9, agreement=dict.fromkeys(names), conflicts=tuple(pairs)),
    )
    page = render_report(huge)
    assert len(page.encode()) < 10_000_000
    assert f"of {many}, evenly spread" in page and "more characters, in the run" in page
    assert (
        "39 earlier turns left out" in page and "110 more principles" in page and "Of 5,000 steps 300 are drawn" in page
    )
    assert page.count('class="turn"') == 20 * page.count('class="card"')
    assert {len(one.points) for chart in rl_charts(summary) for one in chart.series} == {300}
