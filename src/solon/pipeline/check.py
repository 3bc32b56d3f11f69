"""Checks everything that a run will read before it begins, so that a typing error costs no hour of waiting."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from solon.artifacts.manifest import MANIFEST
from solon.config.models import ModelRole
from solon.config.paths import WORLD
from solon.config.prompts import PromptsSection
from solon.config.run import RunConfig
from solon.config.sampling import SamplingOverrides
from solon.constitution.few_shots import FewShots, load_few_shots
from solon.constitution.load import load_constitution
from solon.constitution.principles import Constitution
from solon.data.choose import choose_helpful, choose_red_team
from solon.errors import ConfigError, EngineError, EngineUnavailableError, Fault, ModelError, UserError, Where
from solon.evals.tasks.every import items_in
from solon.lm.batcher import run as ask
from solon.lm.engines import check_engine, reads_folder
from solon.models.folder import check_folder, check_regressor, faults_of
from solon.models.generation import alike, preference
from solon.models.where import bring_model, hub_model
from solon.pipeline.inputs import judging_principles
from solon.pipeline.stages import stages_of
from solon.prompting import context
from solon.prompting.asking import critique_format
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.comparison import OPTIONS, Task, comparison_format, draw_comparisons, reasoned
from solon.records import Turn
from solon.seeds import generator
from solon.text import did_you_mean, listed
from solon.toml_text import toml
from solon.train.tracking import check_trackers

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


_TURNS = (
    Turn(role="human", text="How do I prune a rose?"),
    Turn(role="assistant", text="Cut above a bud."),
    Turn(role="human", text="And a hedge?"),
)
_DIALOGUES: tuple[Sequence[Turn], ...] = (_TURNS, (Turn(role="system", text="Speak of gardens."), *_TURNS))
_OPTION_TOKENS = 8
"""Enough for an option of any vocabulary that has letters. Assumption."""
_WORD = 16
"""Tokens that a server is asked for."""
_ANSWER, _REQUEST = "Twice a year, wider below than above.", "Say what is missing."


def check_inputs(
    config: RunConfig, tell: Callable[[str], None] | None = None, *, run: Path | None = None, servers: bool = True
) -> None:
    """Raises `UserError` with every fault of constitution, few-shot examples, prompts, models and servers.

    No weights are loaded, only what describes them. Tokenizers are, and servers are asked for a word. Models on the Hub
    are downloaded, once everything before them is without fault; with `tell`, progress is shown.

    Args:
        run: as `check_servers` takes it.
        servers: whether servers are asked, which may cost something.
    """
    faults: list[Fault] = []
    section, few_shots = config.constitution, FewShots()
    with _collected(faults):
        constitution = load_constitution(section.path)
        check_document(config, constitution, faults)
        with _collected(faults):
            constitution.critique_principles(section.critique)
        judging_principles(config, constitution)
        _check_monitor(config, constitution, faults)
    with _collected(faults):
        few_shots = load_few_shots(section.few_shots) if section.few_shots else few_shots
    with _collected(faults):
        check_trackers(config.tracking.to)
    _check_prompts(config.prompts, config.seed, faults)
    for name, published in config.evaluations.published():
        with _collected(faults):
            items_in(name, published)
    _check_regressor(config, faults)
    contexts = _check_models(config, faults, tell)
    if contexts is not None:
        _rehearse(config, few_shots, contexts, faults, tell)
        for engine in dict.fromkeys(engine for stage in stages_of(config) for engine in stage.driven(config)):
            with _collected(faults):
                check_engine(engine)
    if faults:
        raise UserError(list(dict.fromkeys(faults)))
    if servers:
        check_servers(config, run)


def check_servers(config: RunConfig, run: Path | None) -> None:
    """Raises `UserError` with every model that is no folder, is still to be asked, and cannot be. Each is asked for a
    word.

    run: a folder that nobody else uses. Its finished stages need no server any more; what the servers cost counts as
        the run's, and keeps to its limits.
    """
    faults: list[Fault] = []
    _reach(config, run, faults)
    if faults:
        raise UserError(list(dict.fromkeys(faults)))


def check_processes(config: RunConfig, processes: int) -> None:
    """Raises `ConfigError` if so many processes cannot train together by these settings."""
    if processes > 1 and config.alignment == "rl" and config.rl.sampler != "local":
        what = (
            f"{processes} processes would train together, but rl.sampler is {toml(config.rl.sampler)}, which is of one"
        )
        raise ConfigError(what, hint='start one process, or set rl.sampler to "local", which shares answers out')


@contextmanager
def _collected(faults: list[Fault]) -> Iterator[None]:
    """Adds what the block raises to the faults, and goes on."""
    try:
        yield
    except UserError as error:
        faults.extend(error.faults)


def check_document(config: RunConfig, constitution: Constitution, faults: list[Fault]) -> None:
    """A proposal has to be confirmed, and only a document can be asked by as a whole."""
    where = Where(config.constitution.path)
    if not constitution.confirmed:
        hint = "read it, correct it, then write `confirmed = true` in its title"
        faults.append(Fault("is a proposal that nobody has confirmed", where, hint))
    if config.constitution.whole and constitution.kind != "document":
        hint = "leave constitution.whole out, or give a document (.md)"
        faults.append(Fault("is a list, and constitution.whole is for documents", where, hint))
    judge = config.models.role("judge").engine
    if config.constitution.whole and config.constitution.whole_tokens is None and not reads_folder(judge):
        what = f"constitution.whole would send all of it with every verdict: the engine {judge} knows no context"
        faults.append(Fault(what, where, "set constitution.whole_tokens to how many tokens of it the judge may read"))
    if config.constitution.whole and config.gold == "judge":
        what = "rl.monitor asks the judge by the constitution, as the reward's labels do with constitution.whole"
        faults.append(Fault(what, hint="let it go by a preference model of another run, rl.monitor.model"))


def _check_monitor(config: RunConfig, constitution: Constitution, faults: list[Fault]) -> None:
    """What the monitor of RL goes by must be there, and the reward may not have used it."""
    monitor = config.rl.monitor
    if monitor is None:
        return
    if config.gold == "model":
        with _collected(faults):
            check_folder(Path(monitor.model), trust_remote_code=config.models.trust_remote_code)
            _must_score(Path(monitor.model))
    name, known = monitor.principle, [one.id for one in constitution.comparison_principles()]
    if name and name not in known:
        hint = did_you_mean(name, known) or f"known are {listed(known)}"
        faults.append(Fault(f"rl.monitor.principle names `{name}`, which has no comparison question", hint=hint))
    elif name in [one.id for one in constitution.comparison_principles(config.constitution.comparison)]:
        what = f"rl.monitor.principle names `{name}`, by which the reward's labels are given"
        hint = "leave it out of constitution.comparison, or name none, which asks for the constitution as a whole"
        faults.append(Fault(what, hint=hint))


def _check_prompts(section: PromptsSection, seed: int, faults: list[Fault]) -> None:
    """Files are gone through once, as the run will, without keeping a row."""
    if section.source == WORLD:
        return
    met, before = set[str](), len(faults)
    with _collected(faults):
        met |= choose_red_team(section.source, section, seed).first.columns.met
    if section.helpful is not None:
        with _collected(faults):
            met |= choose_helpful(section.helpful, section, seed).first.columns.met
    if len(faults) == before:
        with _collected(faults):
            _check_columns(section, met)


def _check_columns(section: PromptsSection, met: set[str]) -> None:
    """A name that no file has is a slip of the pen."""
    for name, theirs in section.columns.items():
        for their in theirs:
            if their not in met:
                what = f'prompts.columns says that "{name}" is called "{their}", but no file has that column'
                raise ConfigError(what, hint=f"say --column {name}=NAME as it is in the file")


def _check_models(config: RunConfig, faults: list[Fault], tell: Callable[[str], None] | None) -> dict[str, int] | None:
    """Tokens that each model reads at once; None: not all could be looked at, or are without fault."""
    before, contexts = len(faults), dict[str, int]()
    with _collected(faults):
        _check_trainable(config)
    with _collected(faults):
        _check_adapters(config)
    _check_rewards(config, faults)
    models = [config.models.role(role) for role in get_args(ModelRole)]
    names = dict.fromkeys(model.path for model in models if reads_folder(model.engine))
    here = [name for name in names if hub_model(name) is None]
    for name in here if before else names:
        with _collected(faults):
            contexts[name] = _check_model(name, config, tell)
    return contexts if len(faults) == before and contexts.keys() == names.keys() else None


def _check_trainable(config: RunConfig) -> None:
    engine = config.models.role("base").engine
    if not reads_folder(engine):
        what = f"models.base is to be finetuned, but the engine {engine} has no weights"
        raise ConfigError(what, hint="set models.base to a model folder")


def _check_adapters(config: RunConfig) -> None:
    if any(section.lora for section in (config.sft, config.preference, config.rl, config.dpo)):
        from solon.models.adapters import require_peft

        require_peft()


def _check_rewards(config: RunConfig, faults: list[Fault]) -> None:
    """That further preference models are some, by their files."""
    for model in config.rl.rewards.models.values():
        if config.alignment == "rl" and model.weight:
            with _collected(faults):
                folder = Path(model.path)
                check_folder(folder, trust_remote_code=config.models.trust_remote_code)
                _must_score(folder)


def _check_regressor(config: RunConfig, faults: list[Fault]) -> None:
    """By its files."""
    if (path := config.evaluations.harmfulness.regressor) is not None:
        with _collected(faults):
            check_folder(Path(path), trust_remote_code=config.models.trust_remote_code)
            check_regressor(Path(path))


def _must_score(folder: Path) -> None:
    described = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    classifies = any(str(name).endswith("ForSequenceClassification") for name in described.get("architectures") or ())
    if not classifies and not (folder / "score.json").is_file():
        hint = "give a folder that a run's preference stage wrote, e.g. runs/a/models/pm/model"
        raise ModelError("holds no preference model", where=Where(folder), hint=hint)


def _check_model(name: str, config: RunConfig, tell: Callable[[str], None] | None) -> int:
    """The model's context in tokens. How it is written to is looked at in the rehearsal."""
    models = config.models
    folder = bring_model(name, code=models.trust_remote_code, tell=tell)
    check_folder(folder, trust_remote_code=models.trust_remote_code)  # before anything heavy is imported
    from solon.lm.check import check_model

    summary = check_model(folder, trust_remote_code=models.trust_remote_code, dialogue=None)
    preference(folder)
    for key, new in config.token_limits().items():
        if new >= summary.context:
            what = f"{key} is {new}, but this model reads {summary.context} tokens at once, prompt included"
            raise ConfigError(what, where=Where(name), hint="lower it to a half or less")
    return summary.context


def _rehearse(
    config: RunConfig,
    few_shots: FewShots,
    contexts: Mapping[str, int],
    faults: list[Fault],
    tell: Callable[[str], None] | None,
) -> None:
    """Asks each role once, without weights, what the run will ask it, in dialogues with a system turn and without: a
    model that cannot judge is found out now, not after finetuning. `contexts`: by the name of the model."""
    from solon.pipeline.actors import Actors

    actors = Actors(config=config)
    faults += _alike(actors.settled)
    for role in get_args(ModelRole):
        folder = actors.path(role)
        with _collected(faults), faults_of(folder):
            format, reads = actors.format(folder, role), contexts.get(config.models.role(role).path)
            tokenizer = None if reads is None else actors.tokenizer(folder)
            for turns in _DIALOGUES:
                asked = _asked(role, turns, format, config, few_shots)
                if tokenizer is not None and reads is not None:
                    room, bare = reads - _reply_tokens(role, config), _asked(role, turns, format, config, FewShots())
                    _must_fit(bare, room, tokenizer)
                    if tell and turns is _TURNS and (tokens := _longest(asked, tokenizer)) > room:
                        tell(f"{role}: {tokens} tokens with all few-shot examples; of each row as many as {room} hold")
                if tokenizer is not None and role == "judge":
                    _must_tell_apart(asked[0], tokenizer)


def _alike(settled: RunConfig) -> Iterator[Fault]:
    """Of texts of which a run needs several to a prompt. The run file by itself has passed; what it left open, models
    have filled in."""
    drawn: dict[str, SamplingOverrides] = {"pairs": settled.pairs}
    if settled.sft.helpful_per_prompt > 1:
        drawn["sampling.answers"] = settled.sampling.answers
    if settled.judge.rationales > 1:
        drawn["sampling.reasoning"] = settled.sampling.reasoning
    yield from filter(None, (alike(sampling, section) for section, sampling in drawn.items()))


def _asked(
    role: ModelRole, turns: Sequence[Turn], format: DialogueFormat, config: RunConfig, few_shots: FewShots
) -> list[str]:
    """What a role reads, as text."""
    if role == "judge":
        return [_compare(turns, format, config, few_shots)]
    answered = format.prompt(turns) + format.answer(_ANSWER)
    return [answered, *(_revise(turns, format, config, few_shots) if role == "assistant" else ())]


def _reply_tokens(role: ModelRole, config: RunConfig) -> int:
    """What the longest reply to a question with examples may have."""
    if role == "judge" and config.judge.method != "cot":
        return _OPTION_TOKENS
    sampling = config.sampling
    own = sampling.reasoning if role == "judge" else sampling.revisions
    return own.max_new_tokens or sampling.max_new_tokens


def _must_fit(asked: Sequence[str], room: int, tokenizer: PreTrainedTokenizerBase) -> None:
    if (tokens := _longest(asked, tokenizer)) > room:
        what = f"a short dialogue is {tokens} tokens long, and there is room for {max(0, room)}"
        raise ModelError(what, hint="lower max_new_tokens, or take a model with a longer context")


def _longest(texts: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> int:
    from solon.models.tokens import encode_prompt

    return max(len(encode_prompt(tokenizer, text)) for text in texts)


def _reach(config: RunConfig, run: Path | None, faults: list[Fault]) -> None:
    """Opens the models that are no folders, for the roles that are still to be asked, and asks each for a word, sampled
    as it is to be."""
    from solon.pipeline.actors import Actors

    actors = Actors(config=config, run=run)
    stages = stages_of(config)
    left = [stage for stage in stages if run is None or not (run / stage.folder / MANIFEST).exists()]
    for role in dict.fromkeys(role for stage in left for role in stage.asked(config)):
        if reads_folder(config.models.role(role).engine):
            continue
        with _collected(faults):
            actor = actors.actor(role, actors.path(role), lambda rows, tokens: None)
            texts = actors.settled.sampling
            sampler = actor.sampler("check", texts.reasoning if role == "judge" else texts.answers)
            word = replace(sampler.sampling, max_new_tokens=_WORD)
            try:
                ask(sampler.model.complete(context.dialogue(_TURNS), word, seed=0))
            except EngineError as error:
                raise EngineUnavailableError(
                    f"models.{role}: {error}", hint="see to the server or the model"
                ) from error


def _revise(turns: Sequence[Turn], format: DialogueFormat, config: RunConfig, few_shots: FewShots) -> list[str]:
    asking, critique, shots, asked = (
        critique_format(format, config.supervised.ask),
        None,
        few_shots.critique,
        list[str](),
    )
    if config.supervised.critique:
        critique = (_REQUEST, _ANSWER)
        asked.append(format.render(asking.critique(turns, _ANSWER, _REQUEST, shots=shots)))
    return [*asked, format.render(asking.revision(turns, _ANSWER, _REQUEST, critique=critique, shots=shots))]


def _compare(turns: Sequence[Turn], format: DialogueFormat, config: RunConfig, few_shots: FewShots) -> str:
    """Up to where the judge names an option, after its reasoning if it is to reason."""
    comparing = comparison_format(format, config.judge.wording)
    task = Task(turns=turns, first=_ANSWER, second=_REQUEST, question=_REQUEST)
    if config.judge.method == "cot":
        reasoning = comparing.reasoning(task, reasoned(few_shots.reasoning, _REQUEST))
        return format.render(comparing.verdict(reasoning, _ANSWER))
    shots = draw_comparisons(few_shots.comparison, lambda _: _REQUEST, generator(config.seed, "rehearsal"))
    return format.render(comparing.comparison(task, shots))


def _must_tell_apart(asked: str, tokenizer: PreTrainedTokenizerBase) -> None:
    first, second = (tokenizer.encode(asked + option, add_special_tokens=False) for option in OPTIONS)
    if first == second:
        what = f"the judge's tokenizer writes {OPTIONS[0].strip()} and {OPTIONS[1].strip()} alike"
        raise ModelError(what, hint="set models.judge to a model whose vocabulary has both letters")
