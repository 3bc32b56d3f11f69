"""Texts as vectors, by a language model on this machine: the mean of its last hidden states.

Nothing is downloaded, and the folder may not run code of its own; weights are safetensors (`solon.models`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MAX_TOKENS = 512
"""Of one text; statements are far shorter."""
BATCH = 16
"""Texts at a time."""


def embedder(folder: Path) -> Callable[[Sequence[str]], NDArray[np.float64]]:
    """Embeddings from a Hugging Face model folder, encoder or decoder: mean over tokens, padding left out [S, D].

    Texts are embedded in order of length, so that little is padded, and come back in their own order. Raises
    `ModelError`, naming every fault of the folder.
    """
    from solon.models.folder import check_folder

    check_folder(folder)  # a wrong path is told before anything heavy is loaded
    import torch

    from solon.models.load import load_encoder

    loaded = load_encoder(folder)
    model, tokenizer = loaded.model, loaded.tokenizer

    def embed(texts: Sequence[str]) -> NDArray[np.float64]:
        order = sorted(range(len(texts)), key=lambda at: (len(texts[at]), at))
        rows: list[NDArray[np.float64]] = [np.zeros(0)] * len(texts)
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            tokens = tokenizer(
                [texts[at] for at in batch], padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
            )
            with torch.inference_mode():
                hidden = model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]).last_hidden_state
            hidden_BTD, counts_BT1 = hidden.float(), tokens["attention_mask"].unsqueeze(-1).float()
            means_BD = (hidden_BTD * counts_BT1).sum(dim=1) / counts_BT1.sum(dim=1).clamp(min=1)
            for at, row in zip(batch, means_BD.cpu().numpy().astype(np.float64), strict=True):
                rows[at] = row
        return np.stack(rows)

    return embed
