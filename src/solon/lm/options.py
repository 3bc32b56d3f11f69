"""Exact log-probabilities of options after a prompt.

A prompt, and the tokens that all its options begin with, are read once. A second pass reads only what follows the first
token that tells an option from the others.

    B prompts   N positions whose logits are kept   V vocabulary   P (prompt, option) pairs
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from solon.lm.decoding import DecodingModel, by_length, common_length, padded, read_prompts
from solon.lm.protocols import OptionScores, Progress
from solon.lm.sampling import double_device, no_numbers


def score_all(
    model: DecodingModel,
    prompts: Sequence[list[int]],
    options: Sequence[Sequence[list[int]]],
    *,
    batch_size: int,
    progress: Progress | None = None,
) -> list[OptionScores]:
    """Summed log-probability of every option of every prompt, all as token ids; no prompt and no option is empty."""
    common = [common_length(choices, 1) for choices in options]
    read = [prompt + choices[0][:count] for prompt, choices, count in zip(prompts, options, common, strict=True)]
    results: list[OptionScores | None] = [None] * len(prompts)
    ahead = [max(map(len, choices)) - count for choices, count in zip(options, common, strict=True)]
    for batch in by_length(read, ahead, batch_size=batch_size, max_columns=model.max_columns):
        scored = _score_batch(model, [read[i] for i in batch], [options[i] for i in batch], [common[i] for i in batch])
        for index, logprobs in zip(batch, scored, strict=True):
            results[index] = OptionScores(logprobs=tuple(logprobs))
        if progress:
            progress(len(batch), sum(len(option) for i in batch for option in options[i]))
    return [result for result in results if result is not None]


def _score_batch(
    model: DecodingModel, read: Sequence[list[int]], options: Sequence[Sequence[list[int]]], common: Sequence[int]
) -> list[list[float]]:
    decoder = model.decoder()
    kept = max(common) + 1
    ahead = max(len(choice) for choices in options for choice in choices)
    logp_BNV = _log_softmax(read_prompts(decoder, read, model.device, last=kept, ahead=ahead))
    scores: list[list[float]] = []
    tails: list[tuple[int, int, list[int]]] = []  # (row, option, the tokens from the one that sets it apart)
    for row, (choices, count) in enumerate(zip(options, common, strict=True)):
        before = kept - 1 - count  # this row's first position of interest
        shared = _summed(logp_BNV[row, before : kept - 1], choices[0][:count])
        scores.append([shared + float(logp_BNV[row, -1, choice[count]]) for choice in choices])
        tails += [(row, option, choice[count:]) for option, choice in enumerate(choices) if len(choice) > count + 1]
    if tails:
        decoder.keep(torch.tensor([row for row, _, _ in tails], device=model.device))
        ids, mask = padded([tokens[:-1] for _, _, tokens in tails], model.device, side="right")
        logp_PNV = _log_softmax(decoder.extend(ids, mask, last=ids.shape[1]))
        for place, (row, option, tokens) in enumerate(tails):
            scores[row][option] += _summed(logp_PNV[place], tokens[1:])
    return scores


def _log_softmax(logits: Tensor) -> Tensor:
    return logits.to(double_device(logits.device)).double().log_softmax(dim=-1)


def _summed(logp_NV: Tensor, tokens: Sequence[int]) -> float:
    total = sum(float(logp_NV[place, token]) for place, token in enumerate(tokens))
    if total != total:
        raise no_numbers()
    return total
