from __future__ import annotations

from pathlib import Path

from config.run_files import told, written
from solon.config.keys import RENAMED, known_keys


def test_old_keys_are_told_their_new_names(tmp_path: Path) -> None:
    path = written(tmp_path, 'extends = "world"\n[models]\njudge_system = "Be fair."\n')
    assert told(path) == [f'{path}:3: unknown key "models.judge_system" (it is now `models.judge.system`)']
    assert set(RENAMED.values()) <= set(known_keys()) and not set(RENAMED) & set(known_keys())


def test_rl_draws_from_all_that_its_log_probabilities_are_of(tmp_path: Path) -> None:
    path = written(tmp_path, 'extends = "world"\n[rl]\ntop_p = 0.9\n')
    assert told(path) == [
        f'{path}:3: unknown key "rl.top_p" (RL compares log-probabilities under softmax(logits / rl.temperature), so '
        "it draws from all of that)"
    ]


def test_a_coefficient_that_did_nothing_is_refused_with_what_does(tmp_path: Path) -> None:
    path = written(tmp_path, 'extends = "world"\n[rl]\nvalue_coefficient = 0.5\n')
    assert told(path) == [
        f"{path}:3: unknown key \"rl.value_coefficient\" (a loss's factor is no factor of AdamW's steps; set "
        "rl.value_learning_rate)"
    ]
