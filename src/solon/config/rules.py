"""What a run file may not say at once. Each value by itself has passed its type and bounds before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from solon.config.engines import server_and_model
from solon.config.feedback import JudgeSection
from solon.config.models import ModelRole, ModelSection
from solon.config.paths import WORLD
from solon.config.prompts import COLUMNS, ReadingSection
from solon.config.rewards import RewardsSection
from solon.config.run import RunConfig
from solon.config.sampling import SamplingOverrides
from solon.config.section import subsection
from solon.text import did_you_mean
from solon.toml_text import toml

_VARIABLE = 'keep a key in an environment variable, and name the variable, e.g. endpoint.key = "OPENAI_API_KEY"'


@dataclass(frozen=True)
class Contradiction:
    """Keys that do not go together; the first is the one to point at."""

    keys: tuple[str, ...]
    what: str
    hint: str


def contradictions(config: RunConfig) -> list[Contradiction]:
    """Every contradiction of a run file."""
    feedback = (_models, _prompts, _sampling, _judge, _conflicts, _whole, _evaluations)
    training = (_objectives, _preference, _rl, _sampler, _rewards, _monitor)
    steps = (_dpo, _shards, _weights, _schedules, _batches)
    return [found for rule in (*feedback, *training, *steps) for found in rule(config)]


def _models(config: RunConfig) -> Iterator[Contradiction]:
    models = config.models
    if not models.assistant.path:
        yield Contradiction(
            ("models.assistant",),
            "models.assistant is missing",
            "give a folder, or OWNER/NAME on the Hugging Face Hub: --model MODEL",
        )
    for role, section in (("base", models.base), ("judge", models.judge)):
        alone = section.model_fields_set & {"engine", "path"} == {"engine"}  # a dumped run file has both
        if not section.path and (alone or section.engine != "local"):
            what = f"models.{role}.engine is set, but the assistant's model plays this role"
            yield Contradiction((f"models.{role}.engine",), what, f"set models.{role}.path too, or remove it")
    for role in get_args(ModelRole):
        yield from _engine_sections(f"models.{role}", getattr(models, role))
        yield from _endpoint(f"models.{role}", getattr(models, role))


def _evaluations(config: RunConfig) -> Iterator[Contradiction]:
    engine = config.models.role("base").engine
    if config.evaluations.perplexity.data is not None and engine != "local":
        what = f"evaluations.perplexity scores whole texts, which the engine {engine} does not"
        keys = ("evaluations.perplexity.data", "models.base.engine")
        yield Contradiction(keys, what, 'set the engine of models.base to "local", or remove it')

    section = config.evaluations
    players = [model for model in section.models if model in ("base", "sl", config.alignment)]
    if section.elo.prompts and len(players) < 2:
        what = "evaluations.elo.prompts asks for games, but fewer than two models of the run are evaluated"
        keys = ("evaluations.elo.prompts", "evaluations.models")
        yield Contradiction(keys, what, "name two in evaluations.models, or set evaluations.elo.prompts=0")


def _engine_sections(key: str, section: ModelSection) -> Iterator[Contradiction]:
    for name, field in ModelSection.model_fields.items():
        if subsection(field) and getattr(section, name) and section.engine != name:
            hint = f'set it to "{name}", or remove the section'
            yield Contradiction((f"{key}.{name}",), f"{key}.{name} is set, but {key}.engine is not", hint)


def _endpoint(key: str, section: ModelSection) -> Iterator[Contradiction]:
    """What a role that is on a server needs, and no other has. Nothing that may be a key is quoted."""
    served = section.engine == "endpoint"
    if section.engine == "local" and server_and_model(section.path):
        what = f'{key}.path names a model on a server, but {key}.engine is "local"'
        yield Contradiction((f"{key}.path",), what, 'set it to "endpoint"')
    if served and section.path and not server_and_model(section.path):
        what = f"{key}.path names no model on a server"
        yield Contradiction((f"{key}.path",), what, "e.g. http://localhost:8000/v1#its-name")
    if served and re.search(r"//[^/#]*@|\?", section.path):
        yield Contradiction((f"{key}.path",), f"{key}.path holds a key, or a query", _VARIABLE)
    if section.endpoint is None:
        return
    if not re.fullmatch("[A-Z_][A-Z0-9_]*", section.endpoint.key):  # keys have small letters
        what = f"{key}.endpoint.key is not the name of an environment variable in capital letters"
        yield Contradiction((f"{key}.endpoint.key",), what, _VARIABLE)
    if section.endpoint.max_cost is not None and not section.endpoint.input_price + section.endpoint.output_price:
        what = f"{key}.endpoint.max_cost is set, but no price"
        hint = "set its input_price and output_price, each for a million tokens"
        yield Contradiction((f"{key}.endpoint.max_cost",), what, hint)


def _prompts(config: RunConfig) -> Iterator[Contradiction]:
    section = config.prompts
    if not section.source:
        hint = f'give red-team prompts (--prompts FILE), or begin the run file with extends = "{WORLD}"'
        yield Contradiction(("prompts.source",), "prompts.source is missing", hint)
        return
    keys = ("prompts.helpful", "prompts.source")
    if section.source == WORLD and section.helpful is not None:
        what = "prompts.helpful is set, but the world makes its own helpfulness comparisons"
        yield Contradiction(keys, what, "remove it, or give red-team prompts of your own (--prompts FILE)")
    if section.source != WORLD and section.helpful is None and section.benign > 0:
        # CAI section 4.2 mixes both kinds of comparison; with one kind RL learns to refuse everything.
        what = "prompts of your own need helpfulness data too, or the model learns to refuse everything"
        yield Contradiction(
            keys[::-1], what, "give --helpful FILE (prompts.helpful); to go without, set prompts.benign=0"
        )
    yield from _reading(section, world=section.source == WORLD)


def _reading(section: ReadingSection, *, world: bool) -> Iterator[Contradiction]:
    plain = ReadingSection()
    names = tuple(f"prompts.columns.{name}" for name in section.columns)
    for key in ReadingSection.model_fields if world else ():
        if getattr(section, key) != getattr(plain, key):
            what = f"prompts.{key} is set, but the world's prompts are not read from a file"
            keys = (f"prompts.{key}", *(names if key == "columns" else ()), "prompts.source")
            yield Contradiction(keys, what, "remove it, or give --prompts FILE")
    for name, place in zip(section.columns, names, strict=True):
        if name not in COLUMNS:
            hint = did_you_mean(name, COLUMNS) or f"known here: {', '.join(COLUMNS)}"
            yield Contradiction((place,), f'prompts.columns names "{name}", which means nothing', hint)


def _sampling(config: RunConfig) -> Iterator[Contradiction]:
    """Greedy texts after one prompt are all equal."""
    sampling = config.sampling
    several: tuple[tuple[str, int, str, SamplingOverrides], ...] = (
        ("sft.helpful_per_prompt", config.sft.helpful_per_prompt, "answers", sampling.answers),
        ("judge.rationales", config.judge.rationales, "reasoning", sampling.reasoning),
    )
    for key, copies, name, section in several:
        own = section.temperature is not None
        at = f"sampling.{name}.temperature" if own else "sampling.temperature"
        if copies > 1 and (section if own else sampling).temperature == 0:
            what = f"{key} is {copies}, but at {at} 0 all are equal"
            yield Contradiction((key, at), what, f"set {at} above 0, or {key} to 1")
    if sampling.temperature == 0 and config.pairs.temperature is None:
        what = "sampling.temperature is 0, for pairs too, but at 0 both answers of a pair are equal"
        yield Contradiction(("sampling.temperature", "pairs.temperature"), what, "set pairs.temperature, e.g. to 1")


def _judge(config: RunConfig) -> Iterator[Contradiction]:
    judge = config.judge
    if judge.rationales > 1 and judge.method != "cot":
        what = f"judge.rationales is {judge.rationales}, but judge.method is {toml(judge.method)}, which has none"
        yield Contradiction(("judge.rationales", "judge.method"), what, 'set judge.method to "cot", or remove it')
    if judge.principles > 1 and judge.decide != "mean":
        what = f"judge.principles is {judge.principles}, but with {judge.decide} they are asked until one decides"
        yield Contradiction(("judge.principles", "judge.decide"), what, 'remove it, or set judge.decide to "mean"')
    if judge.tie != JudgeSection().tie and judge.decide == "mean":
        what = 'judge.tie is set, but judge.decide is "mean", which takes no verdict for a tie'
        hint = 'remove it, or set judge.decide to "first" or "precedence"'
        yield Contradiction(("judge.tie", "judge.decide"), what, hint)
    if judge.draws != JudgeSection().draws and judge.decide != "first":
        what = f"judge.draws is set, but judge.decide is {toml(judge.decide)}, which does not draw until one decides"
        yield Contradiction(("judge.draws", "judge.decide"), what, 'remove it, or set judge.decide to "first"')
    yield from _clamp(judge)


def _whole(config: RunConfig) -> Iterator[Contradiction]:
    """A document that is asked by as a whole, or is not."""
    section, judge, at = config.constitution, config.judge, "constitution.whole"
    if section.whole_tokens is not None and not section.whole:
        what = f"{at}_tokens is set, but {at} is not"
        yield Contradiction((f"{at}_tokens", at), what, f"set {at} to true, or remove it")
    given: dict[str, object] = {
        "judge.decide": judge.decide,
        "judge.principles": judge.principles,
        "constitution.comparison": list(section.comparison),
    }
    for key, value in given.items():
        if section.whole and value not in ("mean", 1, []):
            what = f"{key} is {toml(value)}, but with {at} all articles are one question"
            yield Contradiction((key, at), what, "remove one of the two")


def _clamp(judge: JudgeSection) -> Iterator[Contradiction]:
    if judge.clamp is None:
        return
    low, high = judge.clamp
    if not 0.0 <= low < high <= 1.0:
        what = f"judge.clamp is [{low}, {high}]; expected 0 <= low < high <= 1"
        yield Contradiction(("judge.clamp",), what, "CAI section 4.1 uses [0.4, 0.6]")
    elif abs(low + high - 1.0) > 1e-9:
        # Otherwise swapping (A) and (B) would change more than the label's side.
        what = f"judge.clamp is [{low}, {high}], which is not symmetric around 0.5"
        yield Contradiction(("judge.clamp",), what, f"e.g. [{low}, {round(1 - low, 12)}]")


def _objectives(config: RunConfig) -> Iterator[Contradiction]:
    for name in ("preference", "dpo"):
        weights = getattr(config, name).objective_weights
        if weights.harmlessness == weights.helpfulness == 0:
            keys = tuple(f"{name}.objective_weights.{objective}" for objective in type(weights).model_fields)
            what = f"{name}.objective_weights are all 0, so that nothing is learned"
            yield Contradiction(keys, what, "set one above 0")


def _preference(config: RunConfig) -> Iterator[Contradiction]:
    if config.preference.temperature != "one" and config.preference.holdout == 0:
        keys = ("preference.temperature", "preference.holdout")
        what = f'preference.temperature is "{config.preference.temperature}", but no comparisons are held out to fit it'
        yield Contradiction(keys, what, 'set preference.holdout above 0, or preference.temperature to "one"')


def _conflicts(config: RunConfig) -> Iterator[Contradiction]:
    """Of several principles in their order; and every verdict of a gate or a reward is wanted."""
    if not config.judge.conflicts:
        return
    key = "judge.conflicts"
    if config.judge.decide != "precedence":
        what = f'{key} is set, but judge.decide is "{config.judge.decide}", which asks by no order'
        yield Contradiction((key, "judge.decide"), what, 'set judge.decide to "precedence", or remove it')
    for other, used in (("supervised.gate", config.supervised.gate), ("rl.rewards.judge", config.rl.rewards.judge)):
        if used:
            what = f"{key} leaves most pairs without a verdict, but {other} wants one of each"
            yield Contradiction((key, other), what, f"remove {key}, or {other}")


def _rl(config: RunConfig) -> Iterator[Contradiction]:
    rl = config.rl
    if rl.algorithm not in ("ppo", "reinforce_pp") and rl.samples_per_prompt < 2:
        what = (
            f"rl.samples_per_prompt is {rl.samples_per_prompt}, but {rl.algorithm} compares the samples of one prompt"
        )
        keys = ("rl.samples_per_prompt", "rl.algorithm")
        yield Contradiction(keys, what, 'set it to 2 or more, or rl.algorithm to "ppo"')
    if rl.kl_target is not None and rl.kl_coefficient == 0:
        what = "rl.kl_target is set, but rl.kl_coefficient is 0, which no factor changes"
        yield Contradiction(("rl.kl_target", "rl.kl_coefficient"), what, "set rl.kl_coefficient above 0")
    rollouts = rl.prompts_per_step * rl.samples_per_prompt
    if rl.batch_size > rollouts:
        what = f"rl.batch_size is {rl.batch_size}, but a step makes {rollouts} rollouts"
        places = ("rl.batch_size", "rl.prompts_per_step", "rl.samples_per_prompt")
        yield Contradiction(places, what, f"set rl.batch_size to {rollouts} or less")
    for name in ("gae_lambda", "value_learning_rate", "value_clip"):
        if rl.algorithm != "ppo" and getattr(rl, name) != type(rl).model_fields[name].default:
            what = f"rl.{name} is set, but {rl.algorithm} has no value function"
            yield Contradiction((f"rl.{name}", "rl.algorithm"), what, 'remove it, or set rl.algorithm to "ppo"')


def _sampler(config: RunConfig) -> Iterator[Contradiction]:
    """Weights are handed over within one process."""
    rl, at = config.rl, "rl.vllm"
    if rl.vllm is None:
        return
    if rl.sampler != "vllm":
        hint = 'set it to "vllm", or remove the section'
        yield Contradiction((at, "rl.sampler"), f"{at} is set, but rl.sampler is not", hint)
    if rl.vllm.tensor_parallel_size > 1:
        key = f"{at}.tensor_parallel_size"
        what = f"{key} is {rl.vllm.tensor_parallel_size}, but RL hands its weights over on the GPU that it trains on"
        yield Contradiction((key,), what, "remove it")
    length, new = rl.vllm.max_model_len, config.sampling.max_new_tokens
    if length is not None and new is not None and length <= new:
        keys = f"{at}.max_model_len", "sampling.max_new_tokens"
        what = f"{keys[0]} is {length}, so that {keys[1]} = {new} leaves no room for a prompt"
        yield Contradiction(keys, what, "set it higher, or remove it")


def _rewards(config: RunConfig) -> Iterator[Contradiction]:
    rewards, group = config.rl.rewards, config.rl.samples_per_prompt
    at = "rl.rewards"
    if not rewards.of_models and not rewards.of_texts:
        yield Contradiction((f"{at}.preference",), f"{at} are all 0, so that nothing is earned", "set one above 0")
    for name, model in rewards.models.items():
        if not model.path:
            what = f"{at}.models.{name} has no path"
            yield Contradiction((f"{at}.models.{name}",), what, "give it the folder of a preference model")
        if not re.fullmatch("[A-Za-z0-9_-]+", name):
            what = f"{at}.models has the name {toml(name)}"
            yield Contradiction((f"{at}.models.{name}",), what, "take letters, digits, - and _")
    if rewards.judge and group < 2:
        what = f"{at}.judge compares the answers to one prompt, but rl.samples_per_prompt is {group}"
        yield Contradiction((f"{at}.judge", "rl.samples_per_prompt"), what, "set that to 2 or more")
    if rewards.judge_pairs is not None and not rewards.judge:
        what = f"{at}.judge_pairs is set, but {at}.judge is 0"
        yield Contradiction((f"{at}.judge_pairs", f"{at}.judge"), what, f"set {at}.judge above 0, or remove it")
    yield from _length(rewards)


def _length(rewards: RewardsSection) -> Iterator[Contradiction]:
    at, between = "rl.rewards.length", rewards.length_between
    keys = (f"{at}_between", at)
    if rewards.length and between is None:
        hint = f"set {at}_between, e.g. to [0, 120], a soft limit, or to [80, 80], a target"
        yield Contradiction(keys[::-1], f"{at} is set, but not which lengths cost nothing", hint)
    if between is not None and not rewards.length:
        yield Contradiction(
            keys, f"{at}_between is set, but {at} is 0", f"set {at} to what a token costs, or remove it"
        )
    if between is not None and not 0 <= between[0] <= between[1]:
        what = f"{at}_between is {list(between)}; expected 0 <= least <= most"
        yield Contradiction(keys, what, "e.g. [0, 120], or [80, 80] for a target")


def _monitor(config: RunConfig) -> Iterator[Contradiction]:
    """Whatever the reward has used, the monitor may not."""
    monitor, world = config.rl.monitor, config.prompts.source == WORLD
    if monitor is None:
        return
    gold, at = monitor.gold, "rl.monitor.gold"
    if config.alignment != "rl":
        what = f'rl.monitor is set, but alignment is "{config.alignment}"'
        yield Contradiction(("rl.monitor", "alignment"), what, 'remove it, or set alignment to "rl"')
    if gold == "oracle" and not world:
        what = f'{at} is "oracle", but nobody knows the truth of answers to your prompts'
        yield Contradiction((at, "prompts.source"), what, 'set it to "judge" or "model"')
    if gold == "model" and not monitor.model:
        what = f'{at} is "model", but rl.monitor.model is missing'
        yield Contradiction(("rl.monitor.model", at), what, "give the folder of a preference model of another run")
    rewards = config.rl.rewards
    if rewards.judge and not (rewards.preference or rewards.models or rewards.of_texts):
        what = "rl.monitor looks whether the reward rises, but rl.rewards.judge alone only compares answers"
        yield Contradiction(("rl.monitor", "rl.rewards.judge"), what, "let a preference model earn too, or remove it")
    if config.gold == "judge" and config.rl.rewards.judge:
        what = f'{at} is "judge", by whom rl.rewards.judge lets answers earn'
        yield Contradiction((at, "rl.rewards.judge"), what, f'set {at} to "model", or to "oracle" in the world')
    for key, needed in (("model", gold == "model"), ("principle", gold == "judge" or (gold is None and not world))):
        if getattr(monitor, key) and not needed:
            what = f"rl.monitor.{key} is set, but {at} asks for none"
            wanted = "model" if key == "model" else "judge"
            yield Contradiction((f"rl.monitor.{key}", at), what, f'remove it, or set {at} to "{wanted}"')
    if config.preference.holdout == 0:
        what = "rl.monitor is set, but preference.holdout is 0, which keeps no prompt out of the reward's training"
        yield Contradiction(("preference.holdout", "rl.monitor"), what, "set it above 0, e.g. to 0.1")


def _shards(config: RunConfig) -> Iterator[Contradiction]:
    """A training is looked at by its whole weights."""
    watches = {"sft": "early_stopping", "preference": "early_stopping", "dpo": "early_stopping", "rl": "monitor"}
    for section, watch in watches.items():
        if getattr(config, section).shard != "none" and getattr(getattr(config, section), watch) is not None:
            keys = f"{section}.shard", f"{section}.{watch}"
            what = f'{section}.shard is "full", but {section}.{watch} looks at weights that are whole'
            yield Contradiction(keys, what, f'set {section}.shard to "none", or remove {section}.{watch}')


def _weights(config: RunConfig) -> Iterator[Contradiction]:
    for name in ("sft", "preference", "rl", "dpo"):
        section = getattr(config, name)
        if section.weights == "float32":
            continue
        key = f"{name}.weights"
        if section.lora is not None:
            what = f'{key} is "{section.weights}", but with {name}.lora only adapters learn, which are float32'
            yield Contradiction((key, f"{name}.lora"), what, "remove one of the two; models.dtype is that of the rest")
        if section.shard != "none":
            what = f'{key} is "{section.weights}", but {name}.shard is "full", which keeps float32 weights'
            yield Contradiction((key, f"{name}.shard"), what, f'set {name}.shard to "none", or remove {key}')


def _schedules(config: RunConfig) -> Iterator[Contradiction]:
    for name, section in (
        ("sft", config.sft),
        ("preference", config.preference),
        ("rl", config.rl),
        ("dpo", config.dpo),
    ):
        keys, last = (f"{name}.schedule", f"{name}.final_share"), section.final_share
        what = f'{keys[0]} is "{section.schedule}", but {keys[1]} is {last:g}'
        if section.schedule == "constant" and last != 1.0:
            yield Contradiction(keys, what, f'set {keys[1]} to 1, or {keys[0]} to "linear" or "cosine"')
        if section.schedule == "cosine" and last == 1.0:  # "linear" is the default, and with 1 means constant
            yield Contradiction(keys, what, f'set {keys[1]} below 1, or {keys[0]} to "constant"')


def _dpo(config: RunConfig) -> Iterator[Contradiction]:
    for name, field in type(config.dpo).model_fields.items():
        if config.alignment != "dpo" and getattr(config.dpo, name) != field.default:
            what = f'dpo.{name} is set, but alignment is "{config.alignment}"'
            yield Contradiction((f"dpo.{name}", "alignment"), what, 'remove it, or set alignment to "dpo"')


def _batches(config: RunConfig) -> Iterator[Contradiction]:
    untrained = ("sampling.reasoning.", "evaluation.", "evaluations.")
    limits = {key: limit for key, limit in config.token_limits().items() if not key.startswith(untrained)}
    key = max(limits, key=lambda one: limits[one])
    aligning = ("dpo",) if config.alignment == "dpo" else ("preference", "rl")
    for name, section in ((name, getattr(config, name)) for name in ("sft", *aligning)):
        if section.micro_batch_tokens != "auto" and section.tokens_at_once < limits[key]:
            own = f"{name}.micro_batch_tokens"
            what = f"{own} is {section.tokens_at_once}, less than one answer of {key} = {limits[key]}"
            yield Contradiction((own, key), what, f"set it to {limits[key]} or more")
