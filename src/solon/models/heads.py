"""Scalar heads on the body of a causal language model: the preference model's score, and PPO's value of every token.

    B sequences   T tokens   D width

A mask is True where a token is real. Sequences may be padded on either side: positions count real tokens alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from solon.models import classifier
from solon.models.adapter_files import load_adapter
from solon.models.folder import RATING_MEAN
from solon.models.inputs import body_of, model_inputs

TEMPERATURE = "score_temperature"
"""In config.json."""
ADAPTER = "preference"
"""What the preference model's adapters are called on a model that learns by others."""


class ScalarHead(nn.Module):
    """A linear map from hidden states to one float32 number, computed in float32 even under autocast: differences of
    scores are probabilities, and bfloat16 would leave them two digits."""

    def __init__(self, width: int, *, bias: bool):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, width))
        self.bias = nn.Parameter(torch.zeros(1)) if bias else None

    def forward(self, hidden: Tensor) -> Tensor:
        with torch.autocast(hidden.device.type, enabled=False):
            return F.linear(hidden.float(), self.weight, self.bias)[..., 0]


class _Headed(nn.Module):
    def __init__(self, model: PreTrainedModel, *, width: int | None, bias: bool):
        super().__init__()
        self.backbone = body_of(model)
        if width is None:  # in some models (OPT-350m) what the output head reads is not `hidden_size` wide
            width = int(model.get_output_embeddings().weight.shape[1])
        self.head = ScalarHead(width, bias=bias).to(model.device)

    def hidden_BTD(self, input_ids_BT: Tensor, attention_mask_BT: Tensor) -> Tensor:
        """The backbone's final hidden states; those of padding are meaningless."""
        inputs = model_inputs(self.backbone, input_ids_BT, attention_mask_BT)
        hidden: Tensor = self.backbone(**inputs, use_cache=False).last_hidden_state
        return hidden


class PreferenceModel(_Headed):
    """Scores a whole sequence by the hidden state at its last real token (RLHF-22 section 3.1).

    The head's weights start as N(0, 1 / (D + 1)) (Stiennon et al. 2020, arXiv 2009.01325). It has no bias: one would
    cancel out of every margin, and drift on what rounding leaves of its gradient.
    """

    def __init__(self, model: PreTrainedModel, *, seed: int = 0, width: int | None = None):
        """`width`: D; None: as the output head of `model` has it."""
        super().__init__(model, width=width, bias=False)
        self.temperature = 1.0
        """What differences of scores are divided by to be log-odds; kept with the model."""
        self.rating_mean: float | None = None
        """Of a regressor of ratings: what its scores are added to; kept with the model. None: it scores preferences."""
        self.adapter: str | None = None
        """Which of its backbone's adapters scores are read by; None: none, they are somebody else's."""
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

    def save(self, folder: Path, tokenizer: PreTrainedTokenizerBase, *, end: str | None = None) -> bool:
        """Writes the model into `folder`, with a tokenizer that pads as transformers must pad for it.

        end: the mark at which scores are read; None: the tokenizer's. Returns whether transformers loads it as
        `AutoModelForSequenceClassification` and scores alike; where it has no such class, Solon alone reads it.
        """
        if self.temperature != 1.0:
            setattr(self.backbone.config, TEMPERATURE, self.temperature)
        if self.rating_mean is not None:
            setattr(self.backbone.config, RATING_MEAN, self.rating_mean)
        return classifier.save(self.backbone, self.head.weight, folder, tokenizer, end=end)

    @classmethod
    def load(
        cls, folder: Path, *, dtype: torch.dtype, device: torch.device | str, trust_remote_code: bool = False
    ) -> Self:
        """What `save` wrote, in eval mode; the head stays float32. Raises `ModelError` on any other folder."""
        body, tensors = classifier.load(folder, dtype=dtype, trust_remote_code=trust_remote_code)
        model = cls(body, width=tensors["weight"].shape[1])
        model.head = ScalarHead(tensors["weight"].shape[1], bias="bias" in tensors)
        model.head.load_state_dict(tensors)
        model.temperature = float(getattr(body.config, TEMPERATURE, 1.0))
        model.rating_mean = getattr(body.config, RATING_MEAN, None)
        return model.to(torch.device(device)).eval()

    @classmethod
    def beside(cls, model: PreTrainedModel, folder: Path) -> Self:
        """On the weights of a model that has others' adapters, by an adapter of its own (`save_adapter`), which joins
        them. Raises `ModelError`."""
        found = cls(model)
        weight_1D = load_adapter(found.backbone, folder, ADAPTER, width=found.head.weight.shape[1])
        found.adapter = ADAPTER
        found.head.load_state_dict({"weight": weight_1D})
        return found


class ValueModel(_Headed):
    """The expected return after every token, for PPO. The head starts at zero, so every first value is 0."""

    def __init__(self, model: PreTrainedModel, *, width: int | None = None):
        """`width`: D; None: as the output head of `model` has it."""
        super().__init__(model, width=width, bias=True)

    def forward(self, input_ids_BT: Tensor, attention_mask_BT: Tensor) -> Tensor:
        """Values [B, T], float32; those of padding are meaningless."""
        values_BT: Tensor = self.head(self.hidden_BTD(input_ids_BT, attention_mask_BT))
        return values_BT
