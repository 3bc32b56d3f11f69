"""Helpfulness data from a file: human comparisons, and answers worth imitating."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from solon.prompts.read import refuse_empty
from solon.prompts.rows import Faults, Malformed, Row, Unusable, read_rows
from solon.prompts.turns import dialogue, digest, is_transcript, prompt_id, single, transcript
from solon.records import Comparison, Demonstration, Prompt, Turn


@dataclass(frozen=True, kw_only=True)
class HelpfulFile:
    """What a file gave. Everything is in the order of the file, each once."""

    prompts: tuple[Prompt, ...]
    """Of kind `benign`; those of the comparisons and of the demonstrations."""
    comparisons: tuple[Comparison, ...]
    """`a` is the answer people chose, so `p_a_preferred` is 1."""
    demonstrations: tuple[Demonstration, ...]
    """From rows with a `response`."""
    rows: int
    dropped: Counter[str]
    """`rows == len(comparisons) + len(demonstrations) + dropped.total()`."""


@dataclass(frozen=True, kw_only=True)
class _Example:
    prompt: Prompt
    answers: tuple[str, ...]
    """(chosen, rejected), or (response,)."""

    @property
    def id(self) -> str:
        return f"helpful-{digest(self.prompt.id, *self.answers)}"


def read_helpful(path: str | Path) -> HelpfulFile:
    """Reads hh-rlhf rows (two transcripts), `{prompt, chosen, rejected}` and `{prompt, response}` rows.

    Raises `PromptError` with every fault of the file, or if it holds no usable row.
    """
    path = Path(path)
    faults = Faults(path=path)
    rows = read_rows(path, faults)
    prompts: dict[str, Prompt] = {}
    examples: dict[str, _Example] = {}
    dropped: Counter[str] = Counter()
    for row in rows:
        try:
            example = _example(row, path.name)
        except Malformed as error:
            faults.add(error.what, row.line, error.hint)
        except Unusable as error:
            dropped[error.reason] += 1
        else:
            dropped["duplicate"] += example.id in examples
            examples.setdefault(example.id, example)
            prompts.setdefault(example.prompt.id, example.prompt)
    refuse_empty(faults, len(rows), len(examples), dropped, "helpfulness example")
    return HelpfulFile(
        prompts=tuple(prompts.values()),
        comparisons=tuple(_comparison(e, path.name) for e in examples.values() if len(e.answers) == 2),
        demonstrations=tuple(_demonstration(e) for e in examples.values() if len(e.answers) == 1),
        rows=len(rows),
        dropped=+dropped,
    )


def _example(row: Row, file: str) -> _Example:
    fields = row.fields
    answers: tuple[str, ...]
    if "response" in fields:
        turns, answers = dialogue(fields), (single(fields["response"], "response"),)
    elif "chosen" in fields and "rejected" in fields:
        turns, answers = _compared(fields)
    else:
        raise Malformed("neither a comparison nor an answer", 'give "chosen" and "rejected", or "response"')
    if turns[-1].role != "human":
        raise Malformed("the dialogue ends with the assistant", "end the prompt with the human turn to be answered")
    if not all(answers):
        raise Unusable("empty answer")
    if len(answers) == 2 and answers[0] == answers[1]:
        raise Unusable("identical answers")
    prompt = Prompt(id=prompt_id("benign", turns), kind="benign", turns=turns, source=f"{file}:{row.line}")
    return _Example(prompt=prompt, answers=answers)


def _compared(fields: dict[str, object]) -> tuple[tuple[Turn, ...], tuple[str, str]]:
    chosen, rejected = fields["chosen"], fields["rejected"]
    if isinstance(chosen, str) and isinstance(rejected, str) and is_transcript(chosen) and is_transcript(rejected):
        (turns, first), (others, second) = _last_answer(chosen), _last_answer(rejected)
        if turns != others:
            raise Unusable("the two dialogues differ before the last answer")
        return turns, (first, second)
    if not any(key in fields for key in ("prompt", "turns", "messages")):
        raise Malformed("no prompt", r'"chosen" and "rejected" without "prompt" must be transcripts (\n\nHuman: ...)')
    return dialogue(fields), (single(chosen, "chosen"), single(rejected, "rejected"))


def _last_answer(text: str) -> tuple[tuple[Turn, ...], str]:
    turns = transcript(text)
    if turns[-1].role != "assistant":
        raise Unusable("no last answer")
    return turns[:-1], turns[-1].text


def _comparison(example: _Example, file: str) -> Comparison:
    chosen, rejected = example.answers
    return Comparison(
        id=example.id,
        prompt_id=example.prompt.id,
        a=chosen,
        b=rejected,
        p_a_preferred=1.0,
        rater="human",
        objective="helpfulness",
        method=file,
    )


def _demonstration(example: _Example) -> Demonstration:
    return Demonstration(id=example.id, prompt_id=example.prompt.id, answer=example.answers[0], source="helpful")
