"""The section on data that is made from the articles of a constitution."""

from __future__ import annotations

from pydantic import Field

from solon.config.section import Section


class ScenariosSection(Section):
    """Prompts that are written from each article, in which it matters, and what is made of them: dialogues that explain
    their answer, to finetune on, and ranked answers, to compare (docs/constitutions.md). Off unless asked for.

    Claude's constitution says that such data is made from it, not how; how is ours.
    """

    per_article: int = Field(0, ge=0)
    """Prompts from each article, at most. 0: none, and the run has none of the stages that they are for."""
    tries: float = Field(2.0, gt=0.0)
    """Prompts that are asked for, for each that is wanted: some are no prompts, or alike. Assumption."""
    shown: int = Field(4, ge=1)
    """Articles before the assistant while it answers a scenario, the scenario's own among them: with several, it has to
    find the one that matters. Fewer where its context has no room. Assumption."""
    answers: int = Field(3, ge=2)
    """Answers of SL-CAI to each scenario, which the judge ranks. Each two of them are two verdicts. Assumption."""
