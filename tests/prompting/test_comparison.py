from __future__ import annotations

import numpy as np

from solon.constitution.few_shots import ComparisonShot, ReasoningShot
from solon.prompting.chat_template import ChatTemplate
from solon.prompting.comparison import (
    ComparisonFormat,
    Task,
    comparison_format,
    draw_comparisons,
    reasoned,
)
from solon.prompting.dialogue import HumanAssistant
from solon.records import Turn
from tiny_models import END, tiny_tokenizer

TASK = Task(turns=(Turn(role="human", text="Open it?"),), first="Yes {a}.", second="No {x", question="Which is kinder?")
PLAIN_TASK = (
    "Here is a conversation between a human and an assistant.\n\nHuman: Open it?\n\nWhich is kinder?\n"
    "Options:\n (A) Yes {a}.\n (B) No {x\nThe answer is:"
)
REASONING_TASK = (
    "\n\nHuman: Here is a conversation between a human (H) and an assistant (A).\n\nH: Open it?\n\nWhich is kinder?\n"
    "Options:\n (A) Yes {a}.\n (B) No {x\n\nAssistant: Let's think step by step:"
)
SHOT = ComparisonShot(turns=(Turn(role="human", text="q"),), better="good", worse="bad")
REASONING_SHOT = ReasoningShot(
    turns=(Turn(role="human", text="q"),), first="good", second="bad", rationale="(A) is polite.", answer="A"
)


PLAIN, TEMPLATE = HumanAssistant(), ChatTemplate(tiny_tokenizer(chat_template=True))


def questions(rng: np.random.Generator) -> str:
    return f"question {rng.integers(1000)}"


def test_braces_in_answers_are_text() -> None:
    assert PLAIN.render(comparison_format(PLAIN).comparison(TASK)) == PLAIN_TASK
    assert PLAIN.render(comparison_format(PLAIN).reasoning(TASK)) == REASONING_TASK


def test_the_verdict_is_asked_for_after_the_reasoning() -> None:
    text = PLAIN.render(comparison_format(PLAIN).verdict(comparison_format(PLAIN).reasoning(TASK), "Both are fine."))
    assert text == f"{REASONING_TASK} Both are fine.\n\nHuman: So the answer is:"


def test_a_worked_comparison_stands_before_the_task_in_its_own_layout() -> None:
    (worked,) = draw_comparisons([SHOT], lambda rng: "Which is politer?", np.random.default_rng(0))
    letter = worked.answer
    first, second = ("good", "bad") if letter == "A" else ("bad", "good")
    shown = (
        "Here is a conversation between a human and an assistant.\n\nHuman: q\n\nWhich is politer?\n"
        f"Options:\n (A) {first}\n (B) {second}\nThe answer is: ({letter})\n\n"
    )
    assert PLAIN.render(comparison_format(PLAIN).comparison(TASK, [worked])) == shown + PLAIN_TASK


def test_examples_draw_places_and_principles_independently() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_comparisons([SHOT] * 4, questions, rng) for _ in range(300)]
    share = np.mean([[w.answer == "A" for w in row] for row in drawn], axis=0)
    assert np.all((share > 0.4) & (share < 0.6)), "the better answer stands in either place"
    for worked in drawn[0]:
        better = worked.task.first if worked.answer == "A" else worked.task.second
        assert better == "good"
    assert all(len({w.task.question for w in row}) > 1 for row in drawn), "each example has its own principle"


def test_reasoned_examples_keep_their_order_and_take_the_question() -> None:
    own = REASONING_SHOT.model_copy(update={"question": "Which is shorter?"})
    worked = reasoned([REASONING_SHOT, own], "Which is kinder?")
    assert [w.task.question for w in worked] == ["Which is kinder?", "Which is shorter?"]
    text = PLAIN.render(comparison_format(PLAIN).reasoning(TASK, worked))
    assert text.count("\n\nHuman: So the answer is: (A)\n\nHuman: Here is") == 2
    assert " (A) good\n (B) bad\n\nAssistant: Let's think step by step: (A) is polite.\n\nHuman: So" in text
    assert text.endswith(REASONING_TASK)


def chat() -> ComparisonFormat:
    format = comparison_format(TEMPLATE)
    assert format.chat
    return format


def test_a_chat_model_s_reply_is_begun_for_it() -> None:
    body = PLAIN_TASK.removesuffix("\nThe answer is:")
    assert TEMPLATE.render(chat().comparison(TASK)) == f"<|user|>{body}{END}<|assistant|>The answer is:"
    (worked,) = draw_comparisons([SHOT], lambda rng: "Which is politer?", np.random.default_rng(0))
    text = TEMPLATE.render(chat().comparison(TASK, [worked]))
    assert f"{END}<|assistant|>The answer is: ({worked.answer}){END}<|user|>Here is" in text
    assert text.endswith(TEMPLATE.render(chat().comparison(TASK)))


def test_a_chat_model_reasons_and_concludes_in_one_turn() -> None:
    asked = chat().reasoning(TASK, reasoned([REASONING_SHOT], "Which is kinder?"))
    text = TEMPLATE.render(asked)
    assert "<|assistant|>Let's think step by step: (A) is polite.\n\nSo the answer is: (A)" + END in text
    assert text.endswith(f" (B) No {{x{END}<|assistant|>Let's think step by step:")
    assert TEMPLATE.render(chat().verdict(asked, "Hm.")) == f"{text} Hm.\n\nSo the answer is:"


def test_other_models_get_plain_text() -> None:
    assert not comparison_format(HumanAssistant()).chat
