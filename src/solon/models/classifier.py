"""The preference model as a folder: transformers' own sequence classification with one label, where it has that.

    config.json, model.safetensors    AutoModelForSequenceClassification, num_labels = 1; its logit is the score
    tokenizer.json, ...               pads on the right with a token that ends no answer
    chat_template.jinja               writes nothing behind the last end mark

transformers reads a score at the last token that is not the padding token. Where that token also ends answers, as many
tokenizers have it, it would read before the end mark, so another pads. Behind a chat template that writes on, too.

Where transformers has no such class, or it scores otherwise (`_scores_alike`), the folder holds the body alone, and
beside it `score.safetensors` and `score.json`. Earlier versions wrote these beside a whole language model.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, PreTrainedModel, PreTrainedTokenizerBase
from transformers.initialization import no_init_weights

from solon.errors import ModelError, Where
from solon.models.folder import check_folder
from solon.models.load import load_body, load_classifier, quiet, save_model
from solon.records import Record

WEIGHTS = "score.safetensors"
CARD = "score.json"
NEW_PAD = "<|solon_pad|>"
"""Added to a tokenizer that has no token to pad with."""
CLOSE = 0.02
"""Scores that are further apart are not read at the same place, or not in the same way. Rounding alone leaves 1e-4 in
float32, and about this in bfloat16."""


class HeadCard(Record):
    """`score.json`."""

    kind: Literal["preference"] = "preference"
    width: int
    """Length of the hidden states that the head reads."""


def save(
    body: PreTrainedModel,
    weight_1D: Tensor,
    folder: Path,
    tokenizer: PreTrainedTokenizerBase,
    *,
    end: str | None = None,
) -> bool:
    """Writes a body, what its last token's state is multiplied with, and the tokenizer; see the head of the file.

    end: the mark at which scores are read; None: the tokenizer's. Returns whether transformers can load it.
    """
    scored = scoring_tokenizer(tokenizer, end)
    with _wide_enough(body, scored.pad_token_id + 1):
        if (whole := classifier_of(body, weight_1D, scored.pad_token_id)) is not None:
            save_model(whole, scored, folder)
            return True
    save_model(body, tokenizer, folder)
    save_file({"weight": weight_1D.detach().contiguous()}, folder / WEIGHTS)
    card = HeadCard(width=weight_1D.shape[1])
    (folder / CARD).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return False


def load(folder: Path, *, dtype: torch.dtype, trust_remote_code: bool) -> tuple[PreTrainedModel, dict[str, Tensor]]:
    """What `save` wrote, or an earlier version: the body, in eval mode, and the head's `weight` [1, D] and, of an
    earlier version, `bias` [1], both float32. Raises `ModelError` on any other folder."""
    if (folder / CARD).is_file():
        return load_body(folder, dtype=dtype, trust_remote_code=trust_remote_code).model, _scores_beside(folder)
    _must_classify(folder, trust_remote_code=trust_remote_code)
    whole: Any = load_classifier(folder, dtype=dtype, trust_remote_code=trust_remote_code).model
    return whole.base_model, {"weight": whole.get_submodule(_head_name(whole)).weight.detach().float()}


_HINT = "give a folder that a run's preference stage wrote"


def _must_classify(folder: Path, *, trust_remote_code: bool) -> None:
    """Raises `ModelError` if the folder holds anything else than a score for sequences."""
    check_folder(folder, trust_remote_code=trust_remote_code)
    described = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    kinds = described.get("architectures") or ["a model of no known class"]
    if not str(kinds[0]).endswith("ForSequenceClassification"):
        raise ModelError(f"holds {kinds[0]}, not a preference model", where=Where(folder), hint=_HINT)
    if (labels := len(described.get("id2label", ("", "")))) != 1:  # two if a config does not say
        raise ModelError(f"holds a classifier of {labels} classes, needed: one score", where=Where(folder), hint=_HINT)


def _scores_beside(folder: Path) -> dict[str, Tensor]:
    try:
        card = HeadCard.model_validate_json((folder / CARD).read_text(encoding="utf-8"))
        tensors = load_file(folder / WEIGHTS)
    except (OSError, ValidationError, SafetensorError) as error:
        raise ModelError(f"no readable {CARD} and {WEIGHTS}", where=Where(folder), hint=_HINT) from error
    if tensors["weight"].shape != (1, card.width):
        what = f"holds a head of width {tensors['weight'].shape[1]}, needed: {card.width}"
        raise ModelError(what, where=Where(folder / WEIGHTS))
    return tensors


def classifier_of(body: PreTrainedModel, weight_1D: Tensor, pad_id: int) -> PreTrainedModel | None:
    """transformers' own model around a body and a head, which it shares; None if it has none that scores alike."""
    config: Any = copy.deepcopy(body.config)
    config.num_labels = 1
    config.pad_token_id = config.get_text_config().pad_token_id = pad_id
    try:
        with quiet(), torch.device("meta"), no_init_weights():
            whole: Any = AutoModelForSequenceClassification.from_config(config, trust_remote_code=False)
    except ValueError:  # no class for this architecture, or one of the model's own code
        return None
    name = _head_name(whole)
    if name is None or type(whole.base_model) is not type(body):
        return None
    setattr(whole, whole.base_model_prefix, body)
    weight_1D = weight_1D.to(body.dtype)
    setattr(whole, name, _linear(weight_1D))
    return whole.eval() if _scores_alike(whole, body, weight_1D, pad_id) else None


def _linear(weight_1D: Tensor) -> nn.Linear:
    linear = nn.Linear(weight_1D.shape[1], 1, bias=False, device="meta")
    linear.weight = nn.Parameter(weight_1D.detach())
    return linear


def _head_name(whole: PreTrainedModel) -> str | None:
    """Of the only linear layer beside the body."""
    names = [name for name, one in whole.named_children() if isinstance(one, nn.Linear)]
    return names[0] if len(names) == 1 else None


@torch.no_grad()
def _scores_alike(whole: Any, body: Any, weight_1D: Tensor, pad_id: int) -> bool:
    """On two rows, of which one is padded: whether it pools where Solon does, and does nothing else to the state."""
    ids = [one for one in range(9) if one != pad_id][:8]
    rows = ids, ids[:3]
    ids_BT = torch.tensor([[*row, *[pad_id] * (len(ids) - len(row))] for row in rows], device=body.device)
    mask_BT = torch.tensor([[column < len(row) for column in range(len(ids))] for row in rows], device=body.device)
    said_B = whole(input_ids=ids_BT, attention_mask=mask_BT.long(), use_cache=False).logits[:, 0]
    alone = (body(torch.tensor([row], device=body.device), use_cache=False).last_hidden_state[0, -1] for row in rows)
    own_B = torch.stack([state.float() @ weight_1D[0].float() for state in alone])
    return torch.allclose(said_B.float(), own_B, atol=CLOSE, rtol=CLOSE)


def scoring_tokenizer(tokenizer: PreTrainedTokenizerBase, end: str | None = None) -> Any:
    """A copy that pads on the right, with a token that is not the last of an answer: its own padding token, else
    another special token, else a new one. Its chat template ends with an answer's end mark.

    end: that mark; None: the tokenizer's.
    """
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.padding_side = "right"
    ends = {tokenizer.eos_token_id, *tokenizer.encode(end or "", add_special_tokens=False)[-1:]}
    named = (tokenizer.pad_token, tokenizer.unk_token, tokenizer.bos_token)
    others = sorted(tokenizer.all_special_tokens, key=lambda token: "pad" not in token)
    able = [one for one in (*named, *others) if one and tokenizer.convert_tokens_to_ids(one) not in ends]
    tokenizer.add_special_tokens({"pad_token": able[0] if able else NEW_PAD})
    if mark := end or tokenizer.eos_token:
        tokenizer.chat_template = _ending(tokenizer.chat_template, mark)
    return tokenizer


def _ending(template: Any, mark: str) -> Any:
    """A chat template that, unless it asks for an answer, ends with the last mark of a dialogue."""
    if isinstance(template, dict):
        return {name: _ending(one, mark) for name, one in template.items()}
    if not template:
        return template
    cut = f"solon_text.rsplit({json.dumps(mark)}, 1)[0] ~ {json.dumps(mark)}"
    whole = f"add_generation_prompt or {json.dumps(mark)} not in solon_text"
    body = template.removesuffix("\n")  # which a template's last line does not write
    return f"{{% set solon_text %}}{body}{{% endset %}}{{{{ solon_text if {whole} else {cut} }}}}"


@contextmanager
def _wide_enough(body: PreTrainedModel, tokens: int) -> Iterator[None]:
    """While open, the body has embeddings for so many tokens; those of new ones are 0."""
    before: Any = body.get_input_embeddings()
    config = body.config.get_text_config()
    if tokens <= before.weight.shape[0]:
        yield
        return
    size = config.vocab_size
    zeros = before.weight.new_zeros(tokens - before.weight.shape[0], before.weight.shape[1])
    wider = nn.Embedding.from_pretrained(torch.cat([before.weight.detach(), zeros]), freeze=False)
    body.set_input_embeddings(wider)
    config.vocab_size = tokens
    try:
        yield
    finally:
        body.set_input_embeddings(before)
        config.vocab_size = size
