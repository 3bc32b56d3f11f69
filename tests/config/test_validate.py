from __future__ import annotations

from pathlib import Path

from config.run_files import SOUND, told, written
from solon.config.run import RunConfig
from solon.config.training import ALGORITHMS, RLSection


def test_every_fault_of_a_file_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '''sed = 3
name = """
[rl]
step = 7
"""
[rl]
step = 3
clip = -1.0   # too small
"quoted" = 1
algorithm = "grp"
batch_size = "x"
samples_per_prompt = 1
learning_rate = nan
warmup_steps = 1.5
[judge]
clamp = [0.9, 0.1]
max_unscored = 7
[reinforcement]
steps = 1
[sft]
critique = true
[models]
trust_remote_code = "yes"
dtype = "float16"
[pairs]
temperature = 0.0
[sampling]
top_p = 1.5
revisions.min_p = -0.1
[constitution]
critique = "a"
''',
    )
    sections = (
        "alignment, models, constitution, prompts, scenarios, sampling, supervised, quality, sft, pairs, judge, "
        "helpfulness, preference, rl, dpo"
    )
    *others, last = (f'"{name}"' for name in ALGORITHMS)
    assert told(path, flags=SOUND) == [
        f'{path}:1: unknown key "sed" (did you mean `seed`?)',
        f'{path}:7: unknown key "rl.step" (did you mean `steps`?)',
        f"{path}:8: rl.clip is -1.0; expected greater than 0",
        f'{path}:9: unknown key "rl.quoted" (known here: {", ".join(RLSection.model_fields)})',
        f'{path}:10: rl.algorithm is "grp"; expected {", ".join(others)} or {last} (did you mean `grpo`?)',
        f'{path}:11: rl.batch_size is "x"; expected a whole number',
        f"{path}:13: rl.learning_rate is NaN; expected a finite number",
        f"{path}:14: rl.warmup_steps is 1.5; expected a whole number",
        f"{path}:16: judge.clamp is [0.9, 0.1]; expected 0 <= low < high <= 1 (CAI section 4.1 uses [0.4, 0.6])",
        f"{path}:17: judge.max_unscored is 7; expected less than or equal to 1",
        f'{path}:18: unknown key "reinforcement" (known here: extends, name, seed, {sections}, evaluation, '
        "evaluations, cluster, tracking)",
        f'{path}:21: unknown key "sft.critique" (did you mean `constitution.critique` or `supervised.critique`?)',
        f'{path}:23: models.trust_remote_code is "yes"; expected true or false',
        f'{path}:24: models.dtype is "float16"; expected "auto", "float32" or "bfloat16" (did you mean `bfloat16`?)',
        f"{path}:26: pairs.temperature is 0.0; expected greater than 0",
        f"{path}:28: sampling.top_p is 1.5; expected less than or equal to 1",
        f"{path}:29: sampling.revisions.min_p is -0.1; expected greater than or equal to 0",
        f'{path}:31: constitution.critique is "a"; expected a list',
    ]


def test_an_unknown_section_of_the_command_line_is_placed_there_and_told_what_may_stand_there() -> None:
    known = ", ".join(RunConfig.model_fields)
    for source in (None, "world"):
        assert told(source, ["sl.x=1"]) == [f'--set sl.x=1: unknown key "sl" (known here: {known})']
    assert "`extends`" not in told("world", ["extend=world"])[0]


def test_faults_of_the_command_line() -> None:
    assert told(
        None,
        [
            "rl.steps",
            "=3",
            "rl.stepz=1",
            "name=5",
            "name.x=1",
            "rl=3",
            "models.judge=5",
            "judge.clamp=[0.4]",
            "judge.clamp.x=1",
        ],
        flags={"models.assistent": "x"},
    ) == [
        "--set rl.steps: expected key=value (e.g. --set rl.steps=10)",
        "--set =3: expected key=value (e.g. --set rl.steps=10)",
        '--set name.x=1: unknown key "name.x": name is not a section',
        '--set judge.clamp.x=1: unknown key "judge.clamp.x": judge.clamp is not a section',
        "--set name=5: name is 5; expected text in quotes (quote it: --set 'name=\"5\"')",
        "--set models.judge=5: models.judge is 5; expected a model in quotes, or a section",
        'command line: unknown key "models.assistent" (did you mean `assistant`?)',
        "--set judge.clamp=[0.4]: judge.clamp is [0.4]; expected two numbers",
        "--set rl=3: rl is 3; expected a section",
    ]


def test_a_contradiction_is_told_beside_other_faults_but_not_about_a_faulty_key() -> None:
    assert told(None, ["rl.prompts_per_step=4", "seed=-1"]) == [
        "--set seed=-1: seed is -1; expected greater than or equal to 0",
        "--set rl.prompts_per_step=4: rl.batch_size is 192, but a step makes 32 rollouts "
        "(set rl.batch_size to 32 or less)",
    ]
    assert len(told(None, ["rl.prompts_per_step=4", "rl.batch_size=-1"])) == 1
