"""The run file, and the texts that it names. Stages depend on these by hash."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from solon.artifacts.atomic import canonical_json, sha256_bytes
from solon.config.run import RunConfig
from solon.constitution.articles import Written, written_articles
from solon.constitution.few_shots import FewShots, load_few_shots
from solon.constitution.fitting import whole_question
from solon.constitution.load import load_constitution
from solon.constitution.precedence import in_order
from solon.constitution.principles import WHOLE, Constitution, Principle
from solon.data.rows import fingerprints as file_fingerprints
from solon.evals.grader import Grader
from solon.evals.graders import GRADERS
from solon.models.folder import fingerprints
from solon.pipeline.sources import GroundTruth, WorldScenarios, ground_truth, prompt_files, world_scenarios

CONSTITUTION = "constitution.json"
"""The constitution as the run used it, a `Constitution` record; in the run's folder."""

Hashes = dict[str, str]
"""sha256 of what a stage is made from, by the name under which its manifest lists it."""


class RunInputs:
    """Each is read when it is first asked for."""

    def __init__(self, config: RunConfig) -> None:
        self.config = config

    def __getstate__(self) -> dict[str, object]:
        """With the texts: another machine does not have their files."""
        return {"config": self.config, "constitution": self.constitution, "few_shots": self.few_shots}

    @cached_property
    def constitution(self) -> Constitution:
        return load_constitution(self.config.constitution.path)

    @cached_property
    def few_shots(self) -> FewShots:
        """None are given unless the run file names some."""
        folder = self.config.constitution.few_shots
        return load_few_shots(folder) if folder else FewShots()

    @cached_property
    def truth(self) -> GroundTruth | None:
        """Ground truth about answers, where there is any."""
        return ground_truth(self.config.prompts)

    @property
    def articles(self) -> tuple[Written, ...]:
        """From which scenarios are written."""
        return written_articles(self.constitution)

    @property
    def world_scenarios(self) -> WorldScenarios | None:
        """Makes scenarios without a model, where the prompts are the world's."""
        return world_scenarios(self.config.prompts)

    @property
    def graders(self) -> tuple[Grader, ...]:
        """Of answers: ground truth, where there is any, and graders that do not need it."""
        return (*([self.truth.grader] if self.truth else ()), *GRADERS)

    @property
    def critique_principles(self) -> tuple[Principle, ...]:
        """Those that the supervised phase draws from."""
        return self.constitution.critique_principles(self.config.constitution.critique)

    @property
    def comparison_principles(self) -> tuple[Principle, ...]:
        """What the judge goes by."""
        return judging_principles(self.config, self.constitution)

    @property
    def monitor_principle(self) -> Principle:
        """What the monitor asks a judge: about one principle, or the constitution as a whole."""
        monitor, questions = self.config.rl.monitor, self.constitution.comparison_principles()
        if monitor and monitor.principle:
            return next(one for one in questions if one.id == monitor.principle)
        asked = "\n".join(f"- {one.comparison_question}" for one in questions)
        whole = f"Weigh all of these questions together:\n{asked}\nWhich response is better on the whole?"
        return Principle(id=WHOLE, title="The constitution as a whole", comparison_question=whole)

    # By hash, as stages declare them.

    def prompt_files(self) -> Hashes:
        """The user's files; the world has none."""
        return prompt_files(self.config.prompts)

    def critique_texts(self) -> Hashes:
        """All that critiques and revisions are asked with."""
        own = critique_version(self.critique_principles)
        return {"critique_principles": own, "few_shots": _sha256(self.few_shots.critique)}

    def comparison_texts(self) -> Hashes:
        """All that the judge is asked with."""
        shots = (self.few_shots.comparison, self.few_shots.reasoning)
        own = comparison_version(self.comparison_principles)
        found = {"comparison_principles": own, "few_shots": _sha256(shots)}
        section = self.config.constitution
        whole = {"document": document_version(self.constitution, section.whole_tokens)} if section.whole else {}
        return found | whole

    def article_texts(self) -> Hashes:
        """All that scenarios are written from and explained by, and whether a model writes them."""
        return {"articles": articles_version(self.articles, by_world=self.world_scenarios is not None)}

    def gate_texts(self) -> Hashes:
        """All that the judge is asked with where it is the gate of revisions: by the principles that revisions are made
        under, or where these ask no question, as ever."""
        if not self.config.supervised.gate:
            return {}
        own = _sha256([(one.id, one.comparison_question) for one in self.critique_principles])
        return {"gate_questions": own, **{f"gate_{name}": sha256 for name, sha256 in self.comparison_texts().items()}}

    def reward_texts(self) -> Hashes:
        """All that the judge is asked with where it is a reward of RL, and the files of further preference models."""
        rewards, code = self.config.rl.rewards, self.config.models.trust_remote_code
        weighed = {f"rl.rewards.models.{name}": one.path for name, one in rewards.models.items() if one.weight}
        found = {name: fingerprints(Path(path), code=code) for name, path in weighed.items()}
        files = {f"{name}/{file}": sha256 for name, of in found.items() for file, sha256 in of.items()}
        return files | (self.comparison_texts() if rewards.judge else {})

    def monitor_texts(self) -> Hashes:
        """What the monitor of RL asks a judge with, or the preference model that it goes by."""
        if self.config.gold == "model" and self.config.rl.monitor:
            found = fingerprints(Path(self.config.rl.monitor.model))
            return {f"monitor/{name}": sha256 for name, sha256 in found.items()}
        if self.config.gold == "judge":
            return self.comparison_texts() | {"monitor": _sha256(self.monitor_principle.comparison_question)}
        return {"measures": self.measures()["measures"]} if self.config.gold else {}

    def evaluation_files(self) -> Hashes:
        """The published files that models are evaluated on."""
        files = self.config.evaluations.files
        return {f"evaluations/{name}": file_fingerprints(path)[""] for name, path in files.items()}

    def regressor_files(self) -> Hashes:
        """The model that scores how harmful answers are."""
        folder, code = self.config.evaluations.harmfulness.regressor, self.config.models.trust_remote_code
        found = fingerprints(Path(folder), code=code) if folder else {}
        return {f"regressor/{name}": sha256 for name, sha256 in found.items()}

    def grader(self) -> Hashes:
        return {"grader": _sha256(self.truth.name if self.truth else None)}

    def measures(self) -> Hashes:
        """The graders, and what they measure."""
        return {"measures": _sha256([grader.card for grader in self.graders])}


def critique_version(principles: Sequence[Principle]) -> str:
    """Of all that these principles say to the supervised phase."""
    return _sha256([(one.id, one.weight, one.critique_request, one.revision_request) for one in principles])


def comparison_version(principles: Sequence[Principle]) -> str:
    """Of all that they say to the judge."""
    return _sha256([(one.id, one.weight, one.comparison_question) for one in principles])


def articles_version(articles: Sequence[Written], *, by_world: bool) -> str:
    """Of all that they say to whoever writes scenarios."""
    own = [(one.id, one.title, one.text, one.principle.comparison_question) for one in articles]
    return _sha256([own, by_world])


def document_version(document: Constitution, most_tokens: int | None) -> str:
    """Of all that it says, as a whole, to the judge."""
    return _sha256([whole_question(document), document.articles, most_tokens])


def judging_principles(config: RunConfig, constitution: Constitution) -> tuple[Principle, ...]:
    """Those that the judge draws from, or all of a document in their order. Raises `ConstitutionError` if there are
    none."""
    select = config.constitution.comparison
    if config.judge.decide == "precedence":
        return in_order(constitution, select)
    return constitution.comparison_principles(select)


def _sha256(value: object) -> str:
    return sha256_bytes(canonical_json(value))
