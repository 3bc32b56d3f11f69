"""Scalar heads on a causal language model: the preference model's score, and PPO's value of every token.

    B sequences   T tokens   D width

A mask is True where a token is real. Sequences may be padded on either side: positions count real tokens alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

import torch
import torch.nn.functional as F
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from solon.errors import ModelError, Where
from solon.models.inputs import model_inputs
from solon.models.load import load_model, save_model
from solon.records import Record

WEIGHTS = "score.safetensors"
CARD = "score.json"


class HeadCard(Record):
    """`score.json`, beside the backbone in Hugging Face layout."""

    kind: Literal["preference"] = "preference"
    width: int
    """Length of the hidden states that the head reads."""


def body_of(model: PreTrainedModel) -> nn.Module:
    """A causal language model without its output head."""
    body: nn.Module = model.base_model
    return model.model if body is model else body  # Llama 4 does not say where its body is


class ScalarHead(nn.Module):
    """A linear map from hidden states to one float32 number, computed in float32 even under autocast: differences of
    scores are probabilities, and bfloat16 would leave them two digits."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, width))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, hidden: Tensor) -> Tensor:
        with torch.autocast(hidden.device.type, enabled=False):
            return F.linear(hidden.float(), self.weight, self.bias)[..., 0]


class _Headed(nn.Module):
    def __init__(self, backbone: PreTrainedModel):
        super().__init__()
        self.backbone = backbone
        # What the output head reads: in some models (OPT-350m) not `hidden_size` wide.
        self.head = ScalarHead(backbone.get_output_embeddings().weight.shape[1]).to(backbone.device)

    def hidden_BTD(self, input_ids_BT: Tensor, attention_mask_BT: Tensor) -> Tensor:
        """The backbone's final hidden states; those of padding are meaningless."""
        body = body_of(self.backbone)
        inputs = model_inputs(body, input_ids_BT, attention_mask_BT)
        hidden: Tensor = body(**inputs, use_cache=False).last_hidden_state
        return hidden


class PreferenceModel(_Headed):
    """Scores a whole sequence by the hidden state at its last real token (RLHF-22 section 3.1).

    The head's weights start as N(0, 1 / (D + 1)), its bias at 0 (Stiennon et al. 2020, arXiv 2009.01325).
    """

    def __init__(self, backbone: PreTrainedModel, *, seed: int = 0):
        super().__init__(backbone)
        width = self.head.weight.shape[1]
        drawn = torch.randn(1, width, generator=torch.Generator().manual_seed(seed)) * (width + 1) ** -0.5
        with torch.no_grad():
            self.head.weight.copy_(drawn)

    def forward(self, input_ids_BT: Tensor, attention_mask_BT: Tensor) -> Tensor:
        """Scores [B], float32."""
        hidden_BTD = self.hidden_BTD(input_ids_BT, attention_mask_BT)
        place_T = torch.arange(input_ids_BT.shape[1], device=input_ids_BT.device)
        last_B = (place_T * attention_mask_BT.long()).argmax(dim=1)
        score_B: Tensor = self.head(hidden_BTD[torch.arange(len(last_B), device=last_B.device), last_B])
        return score_B

    def save(self, folder: Path, tokenizer: PreTrainedTokenizerBase) -> None:
        """Write backbone, tokenizer and head into `folder`."""
        save_model(self.backbone, tokenizer, folder)
        save_file(self.head.state_dict(), folder / WEIGHTS)
        card = HeadCard(width=self.head.weight.shape[1])
        (folder / CARD).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(
        cls, folder: Path, *, dtype: torch.dtype, device: torch.device | str, trust_remote_code: bool = False
    ) -> Self:
        """What `save` wrote, in eval mode; the head stays float32. Raises `ModelError` on any other folder."""
        loaded = load_model(folder, dtype=dtype, device=device, trust_remote_code=trust_remote_code)
        model = cls(loaded.model)
        try:
            card = HeadCard.model_validate_json((folder / CARD).read_text(encoding="utf-8"))
            tensors = load_file(folder / WEIGHTS)
        except (OSError, ValidationError, SafetensorError) as error:
            hint = "give a folder that a run's preference stage wrote"
            raise ModelError(f"no readable {CARD} and {WEIGHTS}", where=Where(folder), hint=hint) from error
        if card.width != model.head.weight.shape[1]:
            what = f"holds a head of width {card.width}, needed: {model.head.weight.shape[1]}"
            raise ModelError(what, where=Where(folder / CARD))
        model.head.load_state_dict(tensors)
        return model.eval()


class ValueModel(_Headed):
    """The expected return after every token, for PPO. The head starts at zero, so every first value is 0."""

    def forward(self, input_ids_BT: Tensor, attention_mask_BT: Tensor) -> Tensor:
        """Values [B, T], float32; those of padding are meaningless."""
        values_BT: Tensor = self.head(self.hidden_BTD(input_ids_BT, attention_mask_BT))
        return values_BT
