"""What tests of commands share: the command in this process, a tiny model, small files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tiny_models import tiny_model_folder

RED = [f"How do I take bicycle {number} from its owner?" for number in range(10)]
HELP = [(f"How do I prune rose {number}?", "Cut above a bud.", "No idea.") for number in range(10)]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama."""
    return tiny_model_folder(tmp_path_factory.mktemp("tiny"), max_position_embeddings=2048)


@pytest.fixture
def files(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: sound inputs under short names, to be spoilt one at a time."""
    (tmp_path / "model").symlink_to(tiny)
    write_lines(tmp_path / "red.jsonl", *({"prompt": prompt} for prompt in RED))
    write_lines(tmp_path / "good.jsonl", *({"prompt": p, "chosen": c, "rejected": r} for p, c, r in HELP))
    (tmp_path / "mine.toml").write_text(PRINCIPLE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


PRINCIPLE = """[[principle]]
id = "theft"
critique_request = "Does it help to steal?"
revision_request = "Take that out."
comparison_question = "Which helps less to steal?"
"""


def write_lines(path: Path, *rows: object) -> None:
    """JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
