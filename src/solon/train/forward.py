"""Running a causal LM for training: beginnings that rows share are read once, and logits exist only where they count.

Legend: B rows, T positions, N tokens that count, V vocabulary, D width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from solon.artifacts.tensors import in_shards
from solon.lm.packed import arithmetic, attending, inner_configs, packs
from solon.models.adapters import without_adapters
from solon.models.inputs import body_of, head_reads, model_inputs
from solon.models.memory import LOGITS
from solon.train.batches import Rows, TokenExample, micro_batches
from solon.train.layout import TokenBatch, collate
from solon.train.losses import token_logprobs
from solon.train.parallel import running
from solon.train.trees import Tokens


class Reader:
    """A model in training or beside one, and how it takes rows: packed where it can, else padded.

    Positions count real tokens only, so padding may stand on any side.
    """

    def __init__(self, model: PreTrainedModel, *, pad_id: int, dtype: torch.dtype, bare: bool = False):
        """`dtype`: of the arithmetic; weights stay what they are. `bare`: without the model's adapters."""
        self.model, self.packed = model, packs(model)
        self._pad_id, self._dtype, self._bare, self._configs = pad_id, dtype, bare, inner_configs(model)
        if in_shards(model) and model.get_output_embeddings() is not None:
            _ = self._plain_head  # asked by all processes at once, like all that reads shards

    @property
    def device(self) -> torch.device:
        return self.model.device

    def parts(self, indices: Sequence[int], rows_of: Rows, limit: int) -> list[list[int]]:
        """What is read at once, within `limit` tokens."""
        return micro_batches(indices, rows_of, limit, packed=self.packed)

    def collate(self, rows: Sequence[Tokens]) -> TokenBatch:
        """Rows side by side."""
        return collate(rows, device=self.device, pad_id=None if self.packed else self._pad_id)

    def collate_examples(self, examples: Sequence[TokenExample], *, merged: bool = False) -> TokenBatch:
        """Rows and what counts of them; `merged` as in `layout.collate`."""
        rows, masks = [one.input_ids for one in examples], [one.loss_mask for one in examples]
        return collate(rows, masks, device=self.device, pad_id=None if self.packed else self._pad_id, merged=merged)

    def logp(self, batch: TokenBatch, *, temperature: float = 1.0) -> Tensor:
        """[N], float32: log-probabilities of the tokens that count under softmax(logits / temperature).

        Logits beyond `LOGITS` numbers are made, used and made again for the gradient, piece by piece.
        """
        head, ids_N = self.model.get_output_embeddings(), batch.target_ids_N
        rows = max(1, LOGITS // head.weight.shape[0])
        if len(ids_N) <= rows or not self._plain_head:
            return token_logprobs(self.logits(batch), ids_N, temperature)

        def piece(hidden_ND: Tensor, token_N: Tensor) -> Tensor:
            with arithmetic(self.model, self._dtype):
                return token_logprobs(head(hidden_ND), token_N, temperature)

        hidden_ND = self.hidden(batch)[batch.before_N]
        pieces = zip(hidden_ND.split(rows), ids_N.split(rows), strict=True)
        return torch.cat([checkpoint(piece, *both, use_reentrant=False) for both in pieces])

    @cached_property
    def _plain_head(self) -> bool:
        """Whether logits are the head's product with the body's hidden states, and nothing else is done."""
        ids = torch.tensor([[0, 1]], device=self.device)
        with torch.no_grad(), arithmetic(self.model, self._dtype):
            whole = self.model(ids, use_cache=False).logits
            hidden = running(self.model, body_of(self.model))(input_ids=ids, use_cache=False).last_hidden_state
            wide = self.model.get_output_embeddings()(hidden)
        return whole.shape == wide.shape and torch.allclose(whole, wide, atol=1e-4, rtol=1e-4)

    def logits(self, batch: TokenBatch) -> Tensor:
        """[N, V] logits, float32, of the distributions that `batch.target_ids_N` were drawn from.

        The hidden states are selected before the output head, so the [B, T, V] logits never exist; what a model does
        after its head (scaling, soft-capping) still happens.
        """
        with self._reading(batch), head_reads(self.model, lambda hidden_BTD: hidden_BTD.flatten(0, 1)[batch.before_N]):
            logits_NV: Tensor = self.model(**_inputs(self.model, batch), use_cache=False).logits
        return logits_NV.float()

    def hidden(self, batch: TokenBatch) -> Tensor:
        """[B * T, D], the final hidden states; those of padding are meaningless."""
        body = body_of(self.model)
        with self._reading(batch):
            hidden_BTD: Tensor = running(self.model, body)(**_inputs(body, batch), use_cache=False).last_hidden_state
        return hidden_BTD.flatten(0, 1)

    @contextmanager
    def _reading(self, batch: TokenBatch) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(arithmetic(self.model, self._dtype))
            if self._bare:
                stack.enter_context(without_adapters(self.model))
            if batch.forest is not None:
                stack.enter_context(attending(self._configs, batch.forest))
            yield


def _inputs(model: nn.Module, batch: TokenBatch) -> dict[str, Tensor]:
    if batch.forest is not None:
        return {"input_ids": batch.input_ids_BT, "position_ids": batch.forest.positions_N[None]}
    assert batch.attention_mask_BT is not None
    return model_inputs(model, batch.input_ids_BT, batch.attention_mask_BT)
