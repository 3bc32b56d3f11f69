from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.run_files import told, written
from solon.config.load import load_run_config
from solon.config.models import ModelSection, ModelsSection
from solon.config.prompts import PromptsSection
from solon.config.rewards import RewardModelSection, RewardsSection
from solon.config.rules import contradictions
from solon.config.run import RunConfig
from solon.config.training import RLSection


def test_a_model_and_prompts_are_required(tmp_path: Path) -> None:
    path = written(tmp_path, "seed = 1\n")
    assert told(path) == [
        f"{path}: models.assistant is missing (give a folder, or OWNER/NAME on the Hugging Face Hub: --model MODEL)",
        f"{path}: prompts.source is missing (give red-team prompts (--prompts FILE), or begin the run file with "
        'extends = "world")',
    ]
    assert len(told(path, ["models.judge=m", "prompts.harmful=3"])) == 2


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        (["prompts.source=r.jsonl"], "prompts of your own need helpfulness data too"),
        (["prompts.source=r.jsonl", "prompts.benign=0"], None),
        (["prompts.source=r.jsonl", "prompts.helpful=h.jsonl"], None),
        (["prompts.helpful=h.jsonl"], "prompts.helpful is set, but the world makes its own"),
    ],
)
def test_helpfulness_data_goes_with_prompts_of_ones_own(settings: list[str], fault: str | None) -> None:
    if fault is None:
        load_run_config("world", settings)
    else:
        assert fault in told("world", settings)[0]


@pytest.mark.parametrize(
    ("overrides", "fault"),
    [
        (
            ["evaluations.perplexity.data=t.txt", "models.base.path=b", "models.base.engine=vllm"],
            "evaluations.perplexity scores whole texts, which the engine vllm does not "
            '(set the engine of models.base to "local", or remove it)',
        ),
        (
            ["sampling.temperature=0", "sft.helpful_per_prompt=1"],
            "sampling.temperature is 0, for pairs too, but at 0 both answers of a pair are equal "
            "(set pairs.temperature, e.g. to 1)",
        ),
        (
            ["sampling.answers.temperature=0"],
            "sft.helpful_per_prompt is 2, but at sampling.answers.temperature 0 all are equal "
            "(set sampling.answers.temperature above 0, or sft.helpful_per_prompt to 1)",
        ),
        (
            ["sampling.temperature=0", "sft.helpful_per_prompt=2", "pairs.temperature=1"],
            "sft.helpful_per_prompt is 2, but at sampling.temperature 0 all are equal "
            "(set sampling.temperature above 0, or sft.helpful_per_prompt to 1)",
        ),
        (
            ["rl.samples_per_prompt=1", "rl.batch_size=16"],
            "rl.samples_per_prompt is 1, but grpo compares the samples of one prompt "
            '(set it to 2 or more, or rl.algorithm to "ppo")',
        ),
        (
            ["rl.prompts_per_step=4"],
            "rl.batch_size is 192, but a step makes 32 rollouts (set rl.batch_size to 32 or less)",
        ),
        (
            ["rl.gae_lambda=0.5"],
            'rl.gae_lambda is set, but grpo has no value function (remove it, or set rl.algorithm to "ppo")',
        ),
        (
            ["rl.value_learning_rate=1e-4"],
            'rl.value_learning_rate is set, but grpo has no value function (remove it, or set rl.algorithm to "ppo")',
        ),
        (
            ["sft.schedule=constant"],
            'sft.schedule is "constant", but sft.final_share is 0.05 '
            '(set sft.final_share to 1, or sft.schedule to "linear" or "cosine")',
        ),
        (
            ["preference.schedule=cosine"],
            'preference.schedule is "cosine", but preference.final_share is 1 '
            '(set preference.final_share below 1, or preference.schedule to "constant")',
        ),
        (
            ["rl.kl_target=4", "rl.kl_coefficient=0"],
            "rl.kl_target is set, but rl.kl_coefficient is 0, which no factor changes (set rl.kl_coefficient above 0)",
        ),
        (
            ["preference.temperature=fit", "preference.holdout=0"],
            'preference.temperature is "fit", but no comparisons are held out to fit it '
            '(set preference.holdout above 0, or preference.temperature to "one")',
        ),
        (
            [f"preference.objective_weights.{name}=0" for name in ("harmlessness", "helpfulness")],
            "preference.objective_weights are all 0, so that nothing is learned (set one above 0)",
        ),
        (
            ["alignment=dpo", *(f"dpo.objective_weights.{name}=0" for name in ("harmlessness", "helpfulness"))],
            "dpo.objective_weights are all 0, so that nothing is learned (set one above 0)",
        ),
        (
            ["rl.monitor.gold=oracle", "rl.rewards.judge=1", "rl.rewards.preference=0"],
            "rl.monitor looks whether the reward rises, but rl.rewards.judge alone only compares answers "
            "(let a preference model earn too, or remove it)",
        ),
        (
            ["rl.monitor.gold=judge", "rl.rewards.judge=1"],
            'rl.monitor.gold is "judge", by whom rl.rewards.judge lets answers earn '
            '(set rl.monitor.gold to "model", or to "oracle" in the world)',
        ),
        (
            ["rl.vllm.enforce_eager=true"],
            'rl.vllm is set, but rl.sampler is not (set it to "vllm", or remove the section)',
        ),
        (
            ["rl.sampler=vllm", "rl.vllm.tensor_parallel_size=2"],
            "rl.vllm.tensor_parallel_size is 2, but RL hands its weights over on the GPU that it trains on (remove it)",
        ),
        (
            ["rl.sampler=vllm", "rl.vllm.max_model_len=96"],
            "rl.vllm.max_model_len is 96, so that sampling.max_new_tokens = 96 leaves no room for a prompt "
            "(set it higher, or remove it)",
        ),
        (
            ["dpo.beta=0.2"],
            'dpo.beta is set, but alignment is "rl" (remove it, or set alignment to "dpo")',
        ),
        (
            ["rl.rewards.preference=0"],
            "rl.rewards are all 0, so that nothing is earned (set one above 0)",
        ),
        (
            ["rl.rewards.judge=1", "rl.samples_per_prompt=1", "rl.algorithm=ppo", "rl.batch_size=8"],
            "rl.rewards.judge compares the answers to one prompt, but rl.samples_per_prompt is 1 "
            "(set that to 2 or more)",
        ),
        (
            ["rl.rewards.judge_pairs=2"],
            "rl.rewards.judge_pairs is set, but rl.rewards.judge is 0 (set rl.rewards.judge above 0, or remove it)",
        ),
        (
            ["rl.rewards.length=0.1"],
            "rl.rewards.length is set, but not which lengths cost nothing (set rl.rewards.length_between, e.g. to "
            "[0, 120], a soft limit, or to [80, 80], a target)",
        ),
        (
            ["rl.rewards.length_between=[0, 9]"],
            "rl.rewards.length_between is set, but rl.rewards.length is 0 (set rl.rewards.length to what a token "
            "costs, or remove it)",
        ),
        (
            ["rl.rewards.length=0.1", "rl.rewards.length_between=[10, 9]"],
            "rl.rewards.length_between is [10, 9]; expected 0 <= least <= most (e.g. [0, 120], or [80, 80] for a "
            "target)",
        ),
        (
            ["judge.clamp=[0.4, 0.4]"],
            "judge.clamp is [0.4, 0.4]; expected 0 <= low < high <= 1 (CAI section 4.1 uses [0.4, 0.6])",
        ),
        (
            ["judge.decide=mean", "judge.principles=3", "constitution.whole=true"],
            "judge.principles is 3, but with constitution.whole all articles are one question (remove one of the two)",
        ),
        (
            ["judge.decide=mean", "constitution.comparison=['a', 'b']", "constitution.whole=true"],
            'constitution.comparison is ["a", "b"], but with constitution.whole all articles are one question (remove '
            "one of the two)",
        ),
        (
            ["constitution.whole_tokens=900"],
            "constitution.whole_tokens is set, but constitution.whole is not (set constitution.whole to true, or "
            "remove it)",
        ),
        (
            ["judge.rationales=5", "judge.method=cot", "sampling.reasoning.temperature=0"],
            "judge.rationales is 5, but at sampling.reasoning.temperature 0 all are equal "
            "(set sampling.reasoning.temperature above 0, or judge.rationales to 1)",
        ),
        (
            ["judge.rationales=5"],
            'judge.rationales is 5, but judge.method is "logprob", which has none (set judge.method to "cot", '
            "or remove it)",
        ),
        (
            ["judge.principles=3", "judge.decide=precedence"],
            "judge.principles is 3, but with precedence they are asked until one decides (remove it, or set "
            'judge.decide to "mean")',
        ),
        (
            ["judge.conflicts=true"],
            'judge.conflicts is set, but judge.decide is "first", which asks by no order (set judge.decide to '
            '"precedence", or remove it)',
        ),
        (
            ["judge.conflicts=true", "judge.decide=precedence", "supervised.gate=true"],
            "judge.conflicts leaves most pairs without a verdict, but supervised.gate wants one of each (remove "
            "judge.conflicts, or supervised.gate)",
        ),
        (
            ["judge.tie=0.2", "judge.decide=mean"],
            'judge.tie is set, but judge.decide is "mean", which takes no verdict for a tie (remove it, or set '
            'judge.decide to "first" or "precedence")',
        ),
        (
            ["judge.draws=4", "judge.decide=mean"],
            'judge.draws is set, but judge.decide is "mean", which does not draw until one decides (remove it, or set '
            'judge.decide to "first")',
        ),
        (
            ["judge.clamp=[0.3, 0.6]"],
            "judge.clamp is [0.3, 0.6], which is not symmetric around 0.5 (e.g. [0.3, 0.7])",
        ),
        (
            ["models.judge.path=http://localhost:8000/v1#m"],
            'models.judge.path names a model on a server, but models.judge.engine is "local" (set it to "endpoint")',
        ),
        (
            ["rl.monitor.gold=model"],
            'rl.monitor.gold is "model", but rl.monitor.model is missing '
            "(give the folder of a preference model of another run)",
        ),
        (
            ["rl.monitor.principle=theft"],
            "rl.monitor.principle is set, but rl.monitor.gold asks for none "
            '(remove it, or set rl.monitor.gold to "judge")',
        ),
        (
            ["rl.monitor.gold=judge", "rl.monitor.model=/m"],
            'rl.monitor.model is set, but rl.monitor.gold asks for none (remove it, or set rl.monitor.gold to "model")',
        ),
        (
            ["rl.monitor.every=5", "preference.holdout=0"],
            "rl.monitor is set, but preference.holdout is 0, which keeps no prompt out of the reward's training "
            "(set it above 0, e.g. to 0.1)",
        ),
        (
            ["rl.monitor.every=5", "alignment=dpo"],
            'rl.monitor is set, but alignment is "dpo" (remove it, or set alignment to "rl")',
        ),
        (
            ["rl.monitor.gold=oracle", "prompts.source=/own.jsonl", "prompts.benign=0", "models.assistant=/m"],
            'rl.monitor.gold is "oracle", but nobody knows the truth of answers to your prompts '
            '(set it to "judge" or "model")',
        ),
        (
            ["dpo.early_stopping.every=5"],
            'dpo.early_stopping is set, but alignment is "rl" (remove it, or set alignment to "dpo")',
        ),
        (
            ["sft.weights=bfloat16+masters", "sft.lora.rank=4"],
            'sft.weights is "bfloat16+masters", but with sft.lora only adapters learn, which are float32 '
            "(remove one of the two; models.dtype is that of the rest)",
        ),
        (
            ["rl.weights=bfloat16+stochastic", "rl.shard=full"],
            'rl.weights is "bfloat16+stochastic", but rl.shard is "full", which keeps float32 weights '
            '(set rl.shard to "none", or remove rl.weights)',
        ),
        (
            ["rl.micro_batch_tokens=50"],
            "rl.micro_batch_tokens is 50, less than one answer of sampling.max_new_tokens = 96 (set it to 96 or more)",
        ),
    ],
)
def test_contradictions(overrides: list[str], fault: str) -> None:
    (line,) = told(None, overrides)
    place, _, what = line.partition(": ")
    assert what == fault
    assert place in [f"--set {text}" for text in overrides]


def test_what_is_no_contradiction() -> None:
    assert contradictions(load_run_config()) == []
    required = {"models": ModelsSection(assistant=ModelSection(path="m")), "prompts": PromptsSection(source="world")}
    assert contradictions(RunConfig(**required)) == []
    load_run_config(None, ["rl.algorithm=ppo", "rl.samples_per_prompt=1", "rl.batch_size=16", "rl.gae_lambda=0.5"])
    load_run_config(None, ["rl.algorithm=ppo", "rl.value_learning_rate=1e-4", "rl.value_clip=2.0"])
    load_run_config(None, ["sft.schedule=cosine", "rl.schedule=constant", "rl.final_share=1"])
    load_run_config(None, ["preference.schedule=linear"])
    load_run_config(None, ["rl.rewards.preference=0", "rl.rewards.judge=1", "rl.rewards.judge_pairs=2"])
    load_run_config(None, ["rl.rewards.preference=0", "rl.rewards.length=1", "rl.rewards.length_between=[8, 8]"])
    load_run_config(None, ["rl.algorithm=reinforce_pp", "rl.samples_per_prompt=1", "rl.batch_size=16"])
    load_run_config(None, ["rl.kl_target=4", "preference.objective_weights.helpfulness=0"])
    load_run_config(None, ["alignment=dpo", "dpo.beta=0.2", "rl.micro_batch_tokens=50"])
    load_run_config(None, ["rl.monitor.gold=judge", "rl.monitor.principle=theft", "sft.early_stopping.patience=2"])
    load_run_config(None, ["judge.method=cot", "judge.clamp=[0.4, 0.6]"])
    load_run_config(None, ["sampling.temperature=0", "sft.helpful_per_prompt=1", "pairs.temperature=1"])
    load_run_config(None, ["sampling.temperature=0", "sampling.answers.temperature=0.5", "pairs.temperature=1"])


@pytest.mark.parametrize("key", ["sk-abcSECRET7", "hf_abcSECRET7"])
def test_a_run_file_that_holds_a_key_is_refused_without_showing_it(tmp_path: Path, key: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        'extends = "world"\n[models.judge]\nengine = "endpoint"\npath = "http://h/v1#m"\n'
        f'[models.judge.endpoint]\nkey = "{key}"\n'
    )
    assert told(path) == [
        f"{path}:6: models.judge.endpoint.key is not the name of an environment variable in capital letters (keep a "
        'key in an environment variable, and name the variable, e.g. endpoint.key = "OPENAI_API_KEY")'
    ]


_TO_VARIABLE = (
    "is not the name of an environment variable in capital letters (keep a key in an environment variable, and name "
    'the variable, e.g. endpoint.key = "OPENAI_API_KEY")'
)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("models.judge.endpoint.key=sk-abcSECRET7", f"key=...: models.judge.endpoint.key {_TO_VARIABLE}"),
        (
            "models.judge.endpoint.key=77777777",
            "key=...: models.judge.endpoint.key is ...; expected text in quotes (quote it: --set "
            "'models.judge.endpoint.key=\"...\"')",
        ),
        ("models.judge.endpoint.api_key=sk-abcSECRET7", "api_key=...: unknown key"),
        ("models.judge.endpoint.password=hunter7SECRET", "password=...: unknown key"),
        ("models.judge.endpoint.headers.Authorization=SECRET7", "Authorization=...: unknown key"),
        ("models.judge.hf_token=SECRET7", "hf_token=...: unknown key"),
        ("models.judge.accessToken=SECRET7", "accessToken=...: unknown key"),
        ("models.judge.endpoint=SECRET7", "endpoint=...: models.judge.endpoint is ...; expected a section"),
        ('models.judge={endpoint={apikey="SECRET7"}}', "models.judge=...: unknown key"),
        ('models.judge=5{endpoint={key="SECRET7"', "models.judge=...: models.judge.path names no model on a server"),
        ("models.judge=https://me:SECRET7@host/v1#m", "models.judge=...: models.judge.path holds a key, or a query"),
        ("models.judge=https://host/v1?k=SECRET7#m", "models.judge=...: models.judge.path holds a key, or a query"),
        ("rl.steps=sk-SECRET7", "rl.steps=...: rl.steps is ...; expected a whole number"),
        ("models.judge.endpoint.key: SECRET7", "...: expected key=value (e.g. --set rl.steps=10)"),
        ("name.secret='SECRET7", 'name.secret=...: unknown key "name.secret": name is not a section'),
        ("models.judge.endpoint.key=\udce9SECRET7", "key=...: models.judge.endpoint.key is ..., which cannot be used"),
    ],
)
def test_no_secret_of_a_refused_setting_is_shown(given: str, fault: str) -> None:
    settings = ["models.judge.engine=endpoint", "models.judge.path=http://h/v1#m", given]
    text = "\n".join(told(None, settings))
    assert fault in text and "SECRET7" not in text and "7777" not in text


def test_what_is_no_secret_is_shown() -> None:
    assert told(None, ["sampling.max_new_tokens=few", "rl.micro_batch_tokens=x", "models.judge.endpoint.key"]) == [
        "--set models.judge.endpoint.key: expected key=value (e.g. --set rl.steps=10)",
        '--set sampling.max_new_tokens=few: sampling.max_new_tokens is "few"; expected a whole number',
        '--set rl.micro_batch_tokens=x: rl.micro_batch_tokens is "x"; expected a whole number or "auto"',
    ]


@pytest.mark.parametrize(
    ("given", "told_as", "hint"),
    [
        ('"auot"', '"auot"', " (did you mean `auto`?)"),
        ("1.5", "1.5", ""),
        ("[1]", "[1]", ""),
        ("{a=1}", '{"a" = 1}', ""),
    ],
)
def test_a_value_that_may_be_a_number_or_a_word_is_told_of_both(given: str, told_as: str, hint: str) -> None:
    said = f'rl.micro_batch_tokens is {told_as}; expected a whole number or "auto"{hint}'
    assert told(None, [f"rl.micro_batch_tokens={given}"]) == [f"--set rl.micro_batch_tokens={given}: {said}"]


def test_reward_models_have_a_name_and_a_path(tmp_path: Path) -> None:
    (tmp_path / "pm").mkdir()
    head = 'extends = "world"\n'
    path = written(tmp_path, f'{head}[rl.rewards.models.kind]\npath = "pm"\nweight = 0.5\n')
    rewards = load_run_config(path).rl.rewards
    assert rewards.models == {"kind": RewardModelSection(path=f"{tmp_path}/pm", weight=0.5)}
    assert rewards.result_settings() == {"models": {"kind": {"weight": 0.5}}}, "a folder counts by its content"
    faulty = f'{head}[rl.rewards.models.kind]\npath = "pm"\nweight = -1\npth = "pm"\n'
    assert told(written(tmp_path, faulty)) == [
        f"{path}:4: rl.rewards.models.kind.weight is -1; expected greater than or equal to 0",
        f'{path}:5: unknown key "rl.rewards.models.kind.pth" (did you mean `rl.rewards.models.NAME.path`?)',
    ]
    faulty = f'{head}[rl.rewards.models.kind]\nweight = 2\n[rl.rewards.models."a b"]\npath = "pm"\n'
    assert told(written(tmp_path, faulty)) == [
        f"{path}:2: rl.rewards.models.kind has no path (give it the folder of a preference model)",
        f'{path}:4: rl.rewards.models has the name "a b" (take letters, digits, - and _)',
    ]


@pytest.mark.parametrize(
    ("rewards", "standardized"),
    [
        ({}, False),
        ({"preference": 2.0, "length": 0.1}, False),
        ({"judge": 1.0}, True),
        ({"preference": 0.0, "judge": 1.0}, True),
        ({"models": {"kind": {"weight": 1.0}}}, True),
        ({"models": {"kind": {"weight": 0.0}}}, False),
        ({"preference": 0.0, "models": {"kind": {"weight": 1.0}}}, False),
        ({"scale": "standard"}, True),
        ({"judge": 1.0, "scale": "score"}, False),
    ],
)
def test_scores_are_standardized_where_weights_are_to_compare_them(rewards: dict[str, Any], standardized: bool) -> None:
    assert RewardsSection.model_validate(rewards).standardized == standardized


def test_a_reward_that_says_nothing_new_changes_no_setting() -> None:
    assert RewardsSection().result_settings() == {}
    assert RewardsSection(judge=0.5).result_settings() == {"judge": 0.5}
    assert "rewards" not in RLSection().result_settings()
