"""What a training computes: the floating-point operations of its products, counted while models are read.

A weight matrix costs a token 2 operations per entry, 2 more for the gradient of what went in, and 2 for its own if it
learns: 6 N per token of a model of N such weights that all learn (Kaplan et al. 2020, 2001.08361), 4 N beside adapters.
Attention costs 4 per layer and number of all its heads' width for each token that a token sees, three times that with a
gradient. Layers and logits that are computed again for gradients count once, and what packed rows share counts once;
padding counts, where a model cannot read packs, and so does what a process reads again beside others that hold shards.
Not counted: experts that are no linear layers, attention while answers are sampled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from solon.models.adapters import linear_layers
from solon.models.inputs import body_of
from solon.models.memory import ModelSize
from solon.train.parallel import ALONE, Group

_COUNTED = "_counted_by"
"""An attribute of modules that are counted."""


class FlopCounter:
    """The operations of all models that it counts, and of copies that are made of them then."""

    def __init__(self, peak: float | None = None, group: Group = ALONE) -> None:
        """`peak`: operations per second that the devices of all processes of the group do; None: that is not known."""
        self.peak, self._group = peak, group
        self._added_up = self._own = 0.0

    def __deepcopy__(self, _copied: object) -> FlopCounter:
        return self

    @property
    def total(self) -> float:
        """Of all processes when they were last added up, and of this one since."""
        return self._added_up + self._own

    def add_up(self) -> float:
        """Of all processes up to now. All of them must ask."""
        self._added_up, self._own = self._added_up + self._group.total(self._own), 0.0
        return self._added_up

    def sampled(self, model: PreTrainedModel, *, read: int, drawn: int) -> None:
        """Counts what an engine computed by arithmetic of its own: the linear layers of tokens that it read, and the
        head where it drew one."""
        body = sum(int(layer.weight.numel()) for layer in linear_layers(model).values())
        self._own += 2.0 * (body * read + model.get_output_embeddings().weight.numel() * drawn)

    def count(self, model: PreTrainedModel) -> None:
        """Counts what the model computes from now on; its adapters too, if it has them by now. Models may share parts,
        which count once."""
        new = [one for one in model.modules() if getattr(one, _COUNTED, None) is not self]
        for module in new:
            setattr(module, _COUNTED, self)
            if isinstance(module, nn.Linear | Conv1D):
                module.register_forward_hook(self._product)  # sees what others' hooks have let in
        if body_of(model) not in new:
            return
        size = ModelSize.of(model)
        per_pair = 4.0 * size.layers * size.attention

        def attention(_module: nn.Module, _args: tuple[Any, ...], inputs: dict[str, Any]) -> None:
            self._own += per_pair * (3 if torch.is_grad_enabled() else 1) * seen(inputs)

        body_of(model).register_forward_pre_hook(attention, with_kwargs=True)

    def _product(self, module: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
        if torch._C._current_graph_task_id() != -1:  # within a backward pass, which computes something again
            return
        entering, weight = inputs[0], module.get_parameter("weight")
        backward = 2 * entering.requires_grad + 2 * weight.requires_grad if torch.is_grad_enabled() else 0
        self._own += (2 + backward) * float(entering.numel() // entering.shape[-1] * weight.numel())


def seen(inputs: Mapping[str, Any]) -> float:
    """How many tokens all tokens see together, themselves among them. Example: rows of 2 and 3 tokens: 1 + 2 and
    1 + 2 + 3; packed behind a shared first token, 1 + 2 + 2 + 3."""
    mask, positions = inputs.get("attention_mask"), inputs.get("position_ids")
    if mask is not None:
        tokens_B = mask.long().sum(dim=-1)
        return float((tokens_B * (tokens_B + 1) // 2).sum())
    return 0.0 if positions is None else float((positions + 1).sum())
