"""Texts as vectors: alike in any company, and a wrong folder told before torch is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from solon.errors import ModelError
from solon.models.embedding import embedder
from tiny_models import tiny_model_folder


def test_a_model_folder_embeds_a_text_alike_in_any_company(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tiny_model_folder(tmp_path, "gpt_neox")
    capfd.readouterr()
    embed = embedder(folder)
    texts = ["Be kind.", "The AI should tell the truth, even where it hurts.", "No.", "Respect the people."]
    rows_SD = embed(texts)
    assert rows_SD.shape[0] == 4 and np.isfinite(rows_SD).all()
    assert np.linalg.matrix_rank(rows_SD) == 4, "different texts have different vectors"
    np.testing.assert_allclose(embed(texts[::-1])[::-1], rows_SD, atol=1e-12)
    np.testing.assert_allclose(np.concatenate([embed([text]) for text in texts]), rows_SD, atol=1e-5)
    assert capfd.readouterr() == ("", ""), "loading says nothing"


def test_a_wrong_model_folder_is_told_without_torch(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model folder"):
        embedder(tmp_path / "nowhere")
    code = (
        "import sys\nfrom pathlib import Path\nfrom solon.models.embedding import embedder\n"
        "try:\n    embedder(Path('nowhere'))\nexcept ValueError:\n    pass\nprint('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == "False", done.stderr
