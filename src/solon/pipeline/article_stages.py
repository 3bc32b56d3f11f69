"""The stages of runs whose data are made from the articles of a constitution too, if `scenarios.per_article` says so.

    prompts -> scenarios -> dialogues -> sl -> rankings -> pm, dpo

Scenarios are red-team prompts besides: chains of revisions and RL are made from them as from all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from solon.errors import RunError
from solon.feedback.dialogues import NamesFault, dialogue_verdicts, explain, explanation_prompts
from solon.feedback.prompt_writing import Reply
from solon.feedback.ranking import rank
from solon.feedback.rows import Rows
from solon.feedback.scenarios import Request, requests_for, scenarios_of, sift, write_scenarios
from solon.pipeline.inputs import RunInputs
from solon.pipeline.judging import JUDGING, judge_of, unused_by_judge
from solon.pipeline.sources import EVALUATION, HELPFUL, RED_TEAM, SCENARIOS
from solon.pipeline.stage import BY_SCENARIOS, Facts, Stage
from solon.pipeline.work import Work
from solon.records import Dialogue, Prompt, Ranking
from solon.text import listed

FEW = 5
"""So many articles are named in a note; the others are counted."""


@partial(
    Stage,
    "scenarios",
    "A model writes prompts from each article of the constitution, in which that article matters.",
    reads=(RED_TEAM, HELPFUL, EVALUATION),
    settings=("scenarios.per_article", "scenarios.tries", "sampling.answers"),
    roles=("assistant",),
    weights=("assistant",),
    asks=("assistant",),
    hashes=(RunInputs.article_texts,),
    requires=BY_SCENARIOS,
)
def scenarios(work: Work) -> Facts:
    """Replies are kept as rows, and the prompts that were found in them beside these."""
    asked = requests(work)
    known, not_like = _texts(*work.prompts.red_team, *work.prompts.helpful), _texts(*work.prompts.evaluation)
    sieve = sift(asked, work.given.articles, work.config.scenarios.per_article, known=known, not_like=not_like)
    left_out = {f"line left out: {reason}": count for reason, count in sieve.dropped.items()}
    work.account({}, {"lines of replies": sieve.lines, **left_out})
    made = [*_of_world(work), *scenarios_of(sieve, work.engines.get("assistant", ""))]
    if not made:
        found = ", ".join(f"{reason}: {count}" for reason, count in sieve.dropped.items())
        what = f"the model wrote no scenario from any of {len(work.given.articles)} articles ({found})"
        hint = "let another model play the assistant, raise scenarios.tries, or set scenarios.per_article to 0"
        raise RunError(what, hint=hint)
    return keep_scenarios(work, made)


def requests(work: Work) -> Sequence[Reply]:
    """The replies; none in the world, which makes prompts for each article itself."""
    section, how = work.config.scenarios, work.config.sampling.answers
    if work.given.world_scenarios:
        return ()
    writer = work.actor("assistant")

    def replies(part: Sequence[Request]) -> Rows[Reply]:
        return write_scenarios(part, writer.sampler("scenarios", how))

    asked = requests_for(work.given.articles, section.per_article, section.tries)
    return work.rows(asked, replies, Reply)


def keep_scenarios(work: Work, made: Sequence[Prompt]) -> Facts:
    """Writes them, and tells of articles that have fewer than they might."""
    wanted, found = work.config.scenarios.per_article, Counter(prompt.principle_id for prompt in made)
    if fewer := [one.id for one in work.given.articles if found[one.id] < wanted]:
        more = f" and {len(fewer) - FEW} more" if len(fewer) > FEW else ""
        work.note(f"scenarios: fewer than {wanted} from the articles {listed(fewer[:FEW])}{more}")
    work.account({}, {"scenarios": len(made)})
    work.folder.write_records("prompts", made)
    return {"by_article": {one.id: found[one.id] for one in work.given.articles}}


def _texts(*prompts: Prompt) -> list[str]:
    return [prompt.turns[-1].text for prompt in prompts]


def _of_world(work: Work) -> list[Prompt]:
    make, count = work.given.world_scenarios, work.config.scenarios.per_article
    if make is None:
        return []
    work.reporter.stage(work.folder.name)
    work.note("scenarios: the world makes them for each article itself, and asks no model")
    return [prompt for one in work.given.articles for prompt in make(one.principle, count, work.seed)]


@partial(
    Stage,
    "dialogues",
    "The assistant answers scenarios with articles in view, and explains by which; what passes the checks is kept.",
    reads=(SCENARIOS,),
    settings=("scenarios.shown", "sampling.answers", *JUDGING),
    unused=unused_by_judge,
    roles=("assistant", "judge"),
    weights=("assistant", "judge"),
    asks=("assistant", "judge"),
    hashes=(RunInputs.article_texts, RunInputs.comparison_texts),
    system_turns=True,
    requires=BY_SCENARIOS,
)
def dialogues(work: Work) -> None:
    """There may be none: small models name no article."""
    make_dialogues(work)


def make_dialogues(work: Work, fault: NamesFault | None = None) -> None:
    """`fault`: see `explain`."""
    assistant, judge, given, config = work.actor("assistant"), work.actor("judge"), work.given, work.config
    articles = {one.id: one for one in given.articles}

    def explained(part: Sequence[Prompt]) -> Rows[Dialogue]:
        sampler = assistant.sampler("dialogues", config.sampling.answers)
        by_article = judge_of(given, judge, "dialogues", orders="both")
        return explain(part, articles, sampler, by_article, shown=config.scenarios.shown, fault=fault)

    asked = work.prompts.red_team
    rows = work.rows(asked, explained, Dialogue, may_be_empty=True)
    work.require_verdicts(dialogue_verdicts(len(rows), work.folder.dropped))
    by_id = {prompt.id: prompt for prompt in asked}
    work.folder.write_records("prompts", explanation_prompts(rows, by_id))


@partial(
    Stage,
    "rankings",
    "SL-CAI answers every scenario several times; the judge ranks the answers, by its article and by the constitution.",
    reads=("sl", SCENARIOS),
    settings=("scenarios.answers", "pairs", *JUDGING),
    unused=unused_by_judge,
    roles=("base", "judge"),
    weights=("judge",),
    asks=("judge",),
    hashes=(RunInputs.article_texts, RunInputs.comparison_texts),
    requires=BY_SCENARIOS,
)
def rankings(work: Work) -> None:
    policy, judge, given, config = work.actor("base", "sl"), work.actor("judge"), work.given, work.config
    principles = {one.id: one.principle for one in given.articles}

    def ranked(part: Sequence[Prompt]) -> Rows[Ranking]:
        by_document = judge_of(given, judge, "rankings")
        return rank(
            part,
            policy.sampler("rankings", config.pairs),
            by_document,
            principles,
            answers=config.scenarios.answers,
        )

    rows = work.rows(work.prompts.red_team, ranked, Ranking, may_be_empty=True)
    work.require_verdicts([label.unscored for row in rows for label in row.labels])
