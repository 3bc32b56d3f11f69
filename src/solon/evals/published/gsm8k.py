"""GSM8K (Cobbe et al. 2021, 2110.14168): is the number that an answer ends with the right one, exactly?

Which number an answer ends with, by the first of these rules that finds one:

1. behind the last `####`, unless it is a heading of Markdown (`#### 1. Add them`);
2. in the last `\\boxed{}`;
3. behind the last `answer is`, `answer:` or `answer =` with a number in its sentence: the first, or behind its last
   `=`; `answer is not 17` says nothing;
4. the last number.

What stands behind a next `Question:` or `Q:` is no part of the answer: models without a stop go on to it. A number may
have a sign, a currency, commas or spaces between thousands, decimals, a power of ten (`1.5e3`), a percent sign, and may
be a fraction (`3/4`, `1 1/2`, `\\frac{3}{4}`). Digits behind a letter are no number (`m2`). Numbers are compared as
fractions: 18, 18.00, $18 and 36/2 are equal, 0.33 and 1/3 are not. One of more than `LONGEST` characters is not read:
an answer that ends with it has no number.

The authors read only what stands behind the first `####`, and compare it as text without commas; lm-evaluation-harness
does so too (`strict-match`), or takes the last number of the text (`flexible-extract`), without `,`, `$` and a full
stop at its end. Of answers in GSM8K's own form all three give the same number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from solon.data.faults import Fields, Malformed
from solon.evals.published.rows import field, read_each, repeated, text
from solon.evals.statistics import Rate, rate
from solon.records import Record

LONGEST = 1000
"""Characters of a number: Python turns no more than 4,300 digits into an integer."""
_SIGN = r"(?:(?<![\w)\].,])[-\u2212\u2013])?"
"""Of a number, not of a difference, a range or a list."""
_CURRENCY = r"(?:\\?[$\u20ac\u00a3\u00a5\u20b9]|(?:USD|EUR|GBP|INR|CAD|AUD|Rs\.?))\s?"
_DIGITS = r"(?:\d{1,3}(?:(?:,|\{,\}|\\,|\\!|[ \u00a0\u2009\u202f])\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_FRACTION = r"\\[dt]?frac\{\d+\}\{\d+\}"
_NUMBER = re.compile(
    rf"(?<![A-Za-z\d^_])(?P<sign>{_SIGN})(?:{_CURRENCY}(?P<inner>[-\u2212])?)?"
    rf"(?:(?P<latex>{_FRACTION})|(?P<whole>\d+)\s(?P<mixed>\d+/[1-9]\d*)|(?P<over>{_DIGITS})\s?/\s?(?P<under>[1-9]\d*)"
    rf"|(?P<plain>{_DIGITS})(?P<power>[eE][+-]?\d{{1,3}}\b)?)"
)
_SPACED_SIGN = re.compile(r"(?i)((?:\bis|=|\banswer:)[ *]*[-\u2212\u2013])\s(?=[\d.$])")
"""What a number is may be `- 5`; elsewhere that begins an item of a list, or is a difference."""
_ANNOTATION = re.compile(r"<<[^<>]*>>")
"""The calculator's, in GSM8K's own answers."""
_NEXT = re.compile(r"\n\s*(?:Question|Q)\s*:")
_MARKED = re.compile(r"####(?!#)\s*([^\n]*)")
_HEADING = re.compile(r"\d+[.):]\s+\S|[A-Za-z]")
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
_SAID = re.compile(
    r"(?i)\banswer(?:\s+to\s[^.\n]{0,80}?)?\s*(?:\*\*)?\s*(?:is\b(?!\s+not\s+\S?\d)\s*:?|[:=])[\s*]*(?=([^\n]*))"
)
"""What follows is only looked at, so that the rest of the line may say it again."""
_SENTENCE_END = re.compile(r"(?<!\bRs)[.!?](?:\s|$)")


class GradedAnswer(Record):
    """One problem, and what was made of the answer to it."""

    id: str
    """As the file has it, else the number of the row."""
    completion: str
    correct: bool
    extracted: str | None
    """The number that the answer ends with, in lowest terms; null if it has none."""
    expected: str


class Gsm8k(Record):
    """Exact match over all rows. Rows of one id are answers to one problem, and the interval counts problems."""

    n: int
    correct: int
    accuracy: Rate
    unparsed: int
    """Answers without a number: wrong, and counted."""
    lost: dict[str, int]
    """Problems that the model did not answer, by reason; they are left out."""
    unfinished: int
    """Answers of the model that the token limit cut off."""
    rows: tuple[GradedAnswer, ...]


def score_file(path: Path) -> Gsm8k:
    """Rows with `ground_truth`, a number or an answer as GSM8K has them, and `completion`. Raises `PromptError`."""
    columns = ("question", "ground_truth", "answer", "completion", "response", "id")
    found = read_each(path, columns, _answered)
    return summed([row if row.id else row.model_copy(update={"id": str(n)}) for n, row in enumerate(found, start=1)])


def read_problems(path: Path) -> list[tuple[str, str]]:
    """Questions with their answers, as GSM8K is published. Raises `PromptError`."""
    return read_each(path, ("question", "answer", "ground_truth"), _problem)


def summed(rows: Sequence[GradedAnswer], lost: Mapping[str, int] | None = None, unfinished: int = 0) -> Gsm8k:
    """How many of them are correct. lost, unfinished: of a model that was asked."""
    return Gsm8k(
        n=len(rows),
        correct=sum(row.correct for row in rows),
        accuracy=rate([row.correct for row in rows], repeated(row.id for row in rows)),
        unparsed=sum(row.extracted is None for row in rows),
        lost=dict(lost or {}),
        unfinished=unfinished,
        rows=tuple(rows),
    )


def answered(completion: str, truth: str, id: str = "") -> GradedAnswer:
    """Whether a completion is right. Raises `ValueError` if the truth has no number."""
    expected, extracted = final_number(truth), final_number(completion)
    if expected is None:
        raise ValueError(f"no number in {truth!r:.60}")
    shown = None if extracted is None else str(extracted)
    right = extracted == expected
    return GradedAnswer(id=id, completion=completion, correct=right, extracted=shown, expected=str(expected))


def final_number(answer: str) -> Fraction | None:
    """The number that an answer ends with, see above. Example: "It is $1,234.50 each." ends with 2469/2."""
    answer = _SPACED_SIGN.sub(r"\1", _ANNOTATION.sub("", answer))
    if following := _NEXT.search(answer):
        answer = answer[: following.start()] or answer
    found = _marked(answer) or _boxed(answer) or _said(answer) or _last(_numbers(answer))
    return None if found is None or len(found[0]) > LONGEST else _value(found)


_Found = re.Match[str]


def _marked(answer: str) -> _Found | None:
    lines = [found[1] for found in _MARKED.finditer(answer)]
    first = [_numbers(line) for line in lines if not _HEADING.match(line)]
    return _last([numbers[0] for numbers in first if numbers])


def _boxed(answer: str) -> _Found | None:
    inside = [_numbers(found[1]) for found in _BOXED.finditer(answer)]
    return _last([numbers[-1] for numbers in inside if numbers])


def _said(answer: str) -> _Found | None:
    for found in reversed(list(_SAID.finditer(answer))):
        sentence = _SENTENCE_END.split(found[1], maxsplit=1)[0]
        if numbers := _numbers(sentence.rsplit("=", 1)[-1]):
            return numbers[0]
    return None


def _last(found: Sequence[_Found]) -> _Found | None:
    return found[-1] if found else None


def _numbers(text: str) -> list[_Found]:
    return list(_NUMBER.finditer(text))


def _value(found: _Found) -> Fraction:
    negative = bool(found["sign"].strip()) != bool(found["inner"])
    if found["latex"]:
        above, below = map(int, re.findall(r"\d+", found["latex"]))
        value = Fraction(above, below or 1)
    elif found["mixed"]:
        value = int(found["whole"]) + Fraction(found["mixed"])
    elif found["over"]:
        value = _plain(found["over"]) / int(found["under"])
    else:
        value = _plain(found["plain"]) * Fraction(f"1{found['power'] or ''}")
    return -value if negative else value


def _plain(digits: str) -> Fraction:
    return Fraction(re.sub(r"[^\d.]", "", digits))


def _answered(fields: Fields) -> GradedAnswer:
    truth, id = field(fields, "ground_truth", "answer"), fields.get("id")
    try:
        return answered(text(fields, "completion", "response"), str(truth), "" if id is None else str(id))
    except ValueError as error:
        if isinstance(error, Malformed):
            raise
        raise Malformed(f'"ground_truth": {error}', reason="ground truth without a number") from error


def _problem(fields: Fields) -> tuple[str, str]:
    truth = str(field(fields, "answer", "ground_truth"))
    if final_number(truth) is None:
        raise Malformed(f'"answer": no number in {truth!r:.60}', reason="answer without a number")
    return text(fields, "question"), truth
