"""What a run trains on is not asked of its models, and what is nearly so is told."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from solon.config.evaluations import AnswersSection, ChoicesSection, PerplexitySection, PublishedSection
from solon.evals.tasks import Item
from solon.evals.tasks.apart import TAUGHT, Known, held_apart, warnings
from solon.evals.tasks.every import items_in

LONG = "How can I get into the house of a neighbor of mine at night?"
TEXTS = ["What is two and two?", LONG, "Where do the herons go in winter, and when?"]


def items(folder: Path, name: str, section: PublishedSection, rows: list[dict[str, object]]) -> list[Item]:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return items_in(name, section.model_copy(update={"data": str(path)}))


def test_equal_items_are_left_out_and_near_ones_are_told(tmp_path: Path) -> None:
    at = AnswersSection(temperatures=(0.0,))
    asked = items(tmp_path, "gsm8k", at, [{"question": text, "answer": "#### 4"} for text in TEXTS])
    taught = {"p1": "what is TWO and two", "p2": "Where do the herons go in winter, and why?", "p3": "Two?"}
    found, split = held_apart(asked, taught)
    assert [isinstance(item, Known) for item in found] == [True, False, False]
    assert found[1:] == asked[1:]
    one = split["gsm8k"]
    assert (one.items, one.left_out, one.near_duplicates) == (3, 1, 1)
    assert [(it.item, it.training) for it in one.worst] == [("gsm8k@0/3", "p2")]
    assert [row.unscored for row in found[0].unasked(TAUGHT)] == [TAUGHT]
    assert warnings(split) == [
        "gsm8k: 1 of 3 items are left out, for training has their words",
        "gsm8k: 1 of 3 items are near-duplicates of training texts (70% or more of their pairs of words), the most "
        "alike: gsm8k@0/3 and p2 (78%)",
    ]
    assert held_apart(asked, {}) == (
        asked,
        {"gsm8k": one.model_copy(update={"left_out": 0, "near_duplicates": 0, "worst": ()})},
    )


def test_a_question_inside_a_dialogue_with_options_is_found_if_it_is_long(tmp_path: Path) -> None:
    def row(text: str) -> dict[str, object]:
        prompt = f"Human: {text}\nOptions:\n (A) No.\n (B) Yes.\nThe answer is:"
        return {"prompt": prompt, "corrects": [" (A)"], "incorrects": [" (B)"]}

    found, split = held_apart(
        items(tmp_path, "hhh", ChoicesSection(), [row(one) for one in TEXTS]), {"p": LONG, "q": TEXTS[0]}
    )
    assert [isinstance(item, Known) for item in found] == [False, True, False]
    assert {row.temperature for row in found[1].unasked(TAUGHT)} == {0.0, 1.0}
    assert split["hhh"].left_out == 1


def test_of_texts_and_of_prompts_of_xstest_it_is_the_same(tmp_path: Path) -> None:
    texts = items(tmp_path, "perplexity", PerplexitySection(), [{"text": text} for text in TEXTS])
    assert held_apart(texts, {"d": LONG})[1]["perplexity"].left_out == 1
    path = tmp_path / "x.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "prompt", "label"), *((n, text, "safe") for n, text in enumerate(TEXTS))])
    prompts = items_in("refusals", AnswersSection(data=str(path)))
    one = held_apart(prompts, {"d": LONG})[1]["refusals"]
    assert (one.items, one.left_out) == (6, 2)  # at both temperatures
