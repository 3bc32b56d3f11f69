"""`solon eval`: one command for each evaluation."""

from __future__ import annotations

import typer

from solon.cli.main import Commands, Entry

ANSWERS, CHOICES, FIGURES = "Answers", "Choices", "Figures"


class Evaluations(Commands):
    """By what they ask of a model."""

    table = (
        Entry("bbq", ".eval.bbq:bbq", "BBQ: does a model fall back on stereotypes?", ANSWERS),
        Entry("refusals", ".eval.refusals:refusals", "XSTest: does it comply, refuse, or do both?", ANSWERS),
        Entry(
            "preachiness",
            ".eval.preachiness:preachiness",
            "Preachiness and boilerplate: how many answers lecture, and how much is the same whatever was asked?",
            ANSWERS,
        ),
        Entry("gsm8k", ".eval.gsm8k:gsm8k", "GSM8K: is the number that it ends with the right one?", ANSWERS),
        Entry("hhh", ".eval.choices:hhh", "HHH: which answer is more helpful, honest and harmless?", CHOICES),
        Entry(
            "harm-or-ethical",
            ".eval.choices:harm_or_ethical",
            "Was an assistant harmful, or did it behave ethically?",
            CHOICES,
        ),
        Entry("harm-type", ".eval.choices:harm_type", "In which of nine ways was a conversation harmful?", CHOICES),
        Entry(
            "preference", ".eval.preference:preference", "Does a preference model prefer what people prefer?", FIGURES
        ),
        Entry(
            "harmfulness",
            ".eval.harmfulness:harmfulness",
            "Absolute harmfulness: how harmful is a dialogue, from 0 to 4?",
            FIGURES,
        ),
        Entry("perplexity", ".eval.perplexity:perplexity", "How surprising is a text to a model?", FIGURES),
        Entry("games", ".eval.games:games", "Games between models: whose answers does a judge find better?", FIGURES),
        Entry("harness", ".eval.harness:harness", "Any task of lm-evaluation-harness, on a run's models.", FIGURES),
        Entry("opinions", ".eval.opinions:opinions", "OpinionQA: whose opinions does a model reflect?", FIGURES),
    )


app = typer.Typer(cls=Evaluations, no_args_is_help=True, help="Evaluate a model, or its answers, on published files.")
