from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from solon.errors import PromptError
from solon.evals.published.gsm8k import answered, final_number, read_problems, score_file


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        # behind ####
        ("Two and three.\n#### 5", "5"),
        ("#### 1,234", "1234"),
        ("#### $1,234.50", "2469/2"),
        ("#### -7", "-7"),
        ("####12 eggs", "12"),
        ("#### 3/4", "3/4"),
        ("#### 1. Add them\n2 + 3 = 5\n#### 2. Say it\nSo there are 5 hens.", "5"),
        ("#### Step 1\nThere are 9.", "9"),
        # \boxed{}
        (r"So \boxed{42} of 50.", "42"),
        (r"\boxed{\$18}", "18"),
        (r"\boxed{\text{She has } 12}", "12"),
        (r"\boxed{\frac{3}{4}}", "3/4"),
        # answer is
        ("The answer is 18. She sold 20 before.", "18"),
        ("The answer is $18 for 5 days.", "18"),
        ("The answer is 9 + 9 = 18 dollars. Of 20.", "18"),
        ("Answer: **7** of 9", "7"),
        ("The answer to the question is 3.5.", "7/2"),
        ("The answer is clear: he has 6 left.", "6"),
        ("The final answer is:\n\n18\n\nCheck: each of the 3 friends gets 6.", "18"),
        ("**Answer:**\n\n18\n\n(3 friends, 6 each)", "18"),
        ("The answer is:\n**18**\nNote: 2 days.", "18"),
        ("The answer is USD18", "18"),
        ("The answer is Rs18 and not 5", "18"),
        ("The answer is Rs. 1,800 and not 5", "1800"),
        ("The answer is - 5", "-5"),
        ("The answer is:\n- 5 apples", "5"),
        ("The answer is 17. Wait, no. The answer is 18.", "18"),
        ("First I thought the answer is 17, but the answer is 18.", "18"),
        ("answer: 17? answer: 18", "18"),
        ("answer = 17, no: answer = 9 + 9 = 18 of 20", "18"),
        ("The answer is 18, and the answer is final. Not 3.", "18"),
        ("The answer to 2 + 3 is 5, the answer to all is 6. Of 7.", "6"),
        ("The answer is not 17 but 18", "18"),
        ("The answer isn't $17, it is $18", "18"),
        ("The answer is $1,234.50.", "2469/2"),
        ("The answer is **18** dollars", "18"),
        ("The answer is 1 234 of 9", "1234"),
        # the last number
        ("3 - 8 = - 5", "-5"),
        ("about 1.5e3", "1500"),
        ("a part of 2E-3", "1/500"),
        ("a total of 1 000", "1000"),
        ("in 2019 200 of 1 250 000", "1250000"),
        ("12 1000", "1000"),
        ("Janet has 3 hens, then 4.", "4"),
        ("It costs $2,000,000.", "2000000"),
        ("It costs 2{,}000 dollars", "2000"),
        ("That leaves -3.", "-3"),
        ("That leaves \u22123.", "-3"),
        ("He loses $-5.", "-5"),
        ("He loses -$5.", "-5"),
        ("10 - 4 = 6", "6"),
        ("10-4", "4"),
        ("from 5-10", "10"),
        ("- 5 apples", "5"),
        ("half of it is .5", "1/2"),
        ("that is 50%.", "50"),
        ("it takes 1 1/2 hours", "3/2"),
        ("so 36/2", "18"),
        ("18.00", "18"),
        ("It has 12 m2.", "12"),
        ("They are 9 cm^25 wide", "9"),
        ("It costs US$20", "20"),
        ("<<3*4=12>>12 hens", "12"),
        ("#### 8\nQuestion: What of 9?\n#### 10", "8"),
        ("She has 8.\n\nQ: How many are 9?", "8"),
    ],
)
def test_the_number_an_answer_ends_with(answer: str, number: str) -> None:
    assert final_number(answer) == Fraction(number)


TOO_LONG = "9" * 5000


@pytest.mark.parametrize(
    "answer",
    [
        *("", "I do not know.", "####", r"\boxed{x}"),
        *(TOO_LONG, f"18, or {TOO_LONG}", f"#### -{TOO_LONG}", f"The answer is 1/{TOO_LONG}", f"0.{TOO_LONG}"),
    ],
)
def test_no_number(answer: str) -> None:
    assert final_number(answer) is None


@pytest.mark.parametrize("answer", [f"{TOO_LONG} = 18", f"The answer is 18. {TOO_LONG}"])
def test_a_number_that_is_too_long_matters_only_at_the_end(answer: str) -> None:
    assert final_number(answer) == 18


def test_the_longest_numbers_can_be_shown() -> None:
    longest = f"{'9' * 499}.{'9' * 495}e-999"
    assert answered(longest, longest).correct


@pytest.mark.parametrize(
    ("completion", "truth", "correct"),
    [
        ("It is 18.", "18", True),
        ("It is 18.00.", "#### 18", True),
        ("It is $1,800", "1800", True),
        ("0.33", "1/3", False),
        ("18.5", "18", False),
        ("none", "18", False),
    ],
)
def test_exact_match(completion: str, truth: str, correct: bool) -> None:
    assert answered(completion, truth).correct is correct


def test_a_file(tmp_path: Path) -> None:
    rows = [
        {"question": "?", "ground_truth": "3 + 4 = 7\n#### 7", "completion": "It is 7."},
        {"question": "?", "ground_truth": 7, "completion": "It is 8."},
        {"question": "?", "ground_truth": "7", "completion": None, "extra": 1},
    ]
    file = tmp_path / "answers.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    found = score_file(file)
    assert (found.n, found.correct, found.unparsed) == (3, 1, 1)
    assert [row.correct for row in found.rows] == [True, False, False]
    assert (found.rows[1].extracted, found.rows[1].expected, found.rows[2].extracted) == ("8", "7", None)
    assert found.accuracy.rate == pytest.approx(1 / 3)


def test_rows_of_one_id_are_one_problem(tmp_path: Path) -> None:
    """The worked example of `statistics.rate`: two of four, in two problems that are all or nothing."""
    file = tmp_path / "answers.jsonl"
    answers = [("x", "7"), ("x", "It is 7."), ("y", "8"), ("y", "9")]
    rows = [{"id": id, "ground_truth": "7", "completion": one} for id, one in answers]
    file.write_text("\n".join(map(json.dumps, rows)))
    accuracy = score_file(file).accuracy
    assert (accuracy.rate, accuracy.low, accuracy.high) == (
        0.5,
        pytest.approx(0.0546, abs=1e-4),
        pytest.approx(0.9454, abs=1e-4),
    )
    file.write_text("\n".join(json.dumps({**row, "id": None}) for row in rows))
    found = score_file(file)
    assert [(row.id, row.completion) for row in found.rows] == [("1", "7"), ("2", "It is 7."), ("3", "8"), ("4", "9")]
    assert found.accuracy.low == pytest.approx(0.150, abs=1e-3)


def test_all_faults_of_a_file_are_told(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text('{"ground_truth": "none", "completion": "1"}\n{"ground_truth": "1"}\n{"completion": 3}\n')
    with pytest.raises(PromptError) as told:
        score_file(file)
    assert str(told.value).splitlines() == [
        f"{file}:1: \"ground_truth\": no number in 'none'",
        f'{file}:2: no "completion" or "response" (the row has `ground_truth`)',
        f'{file}:3: no "ground_truth" or "answer" (the row has `completion`)',
    ]


def test_problems(tmp_path: Path) -> None:
    file = tmp_path / "test.jsonl"
    file.write_text('{"question": "How many?", "answer": "Five.\\n#### 5"}\n')
    assert read_problems(file) == [("How many?", "Five.\n#### 5")]
