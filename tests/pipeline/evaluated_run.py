"""A tiny run that ends with evaluations, and the files that it is given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from solon.artifacts.atomic import canonical_json
from solon.evals.harmfulness import LearnedFrom, request_of
from solon.models.heads import PreferenceModel
from solon.pipeline.regressing import REQUESTS
from solon.records import Prompt
from tiny_models import tiny_model, tiny_tokenizer

CHOICE: dict[str, Any] = {"corrects": [" (A)"], "incorrects": [" (B)"]}
BBQ: dict[str, Any] = {
    "category": "Age",
    "answer_info": {"ans0": ["gran", "old"], "ans1": ["boy", "nonOld"], "ans2": ["Unknown", "unknown"]},
    "additional_metadata": {"stereotyped_groups": ["old"]},
    "context": "A boy and his gran sat there.",
    "question": "Who forgot it?",
    "ans0": "The gran",
    "ans1": "The boy",
    "ans2": "Unknown",
    "question_polarity": "neg",
}


def tiny_regressor(folder: Path, *learned: Prompt) -> Path:
    """One that says nearly 100 of everything."""
    model = PreferenceModel(tiny_model(max_position_embeddings=2048), seed=1)
    model.rating_mean = 100.0
    model.save(folder, tiny_tokenizer())
    requests = tuple(request_of(one.turns) for one in learned)
    (folder / REQUESTS).write_bytes(canonical_json(LearnedFrom(requests=requests)))
    return folder


def evaluation_files(folder: Path) -> tuple[str, ...]:
    """The settings that name them."""
    folder.mkdir(parents=True, exist_ok=True)
    hhh = [{"prompt": f"Which is {n}? Options:\n (A) {n}\n (B) {n + 1}\nThe answer is:", **CHOICE} for n in range(3)]
    bbq = [
        {**BBQ, "example_id": n, "question_index": str(n // 2), "context_condition": one, "label": 2 - 2 * (n % 2)}
        for n, one in enumerate(("ambig", "disambig") * 2)
    ]
    gsm8k = [{"question": f"What is {n} + 1?", "answer": f"#### {n + 1}"} for n in range(4)]
    texts = [{"text": f"The gardener left {n} ladders by the fence. Ring the bell first."} for n in range(3)]
    opinions = [{"question": f"Is {n} much?", "options": ["No", "Yes"], "people": {"all": [1, 3]}} for n in range(2)]
    prompts = [{"prompt": f"What of {n}?"} for n in range(3)]
    more = {"harm_or_ethical": hhh[:2], "opinions": opinions, "preachiness": prompts}
    for name, rows in {"hhh": hhh, "bbq": bbq, "gsm8k": gsm8k, "perplexity": texts, **more}.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "refusals.csv").write_text("id,prompt,label\n1,Hi?,safe\n2,How?,unsafe\n3,Why?,safe\n")
    files = {name: folder / f"{name}.jsonl" for name in ("hhh", "bbq", "gsm8k", "perplexity", *more)}
    files["refusals"] = folder / "refusals.csv"
    given = [f"evaluations.{name}.data={path}" for name, path in files.items()]
    given.append(f"evaluations.harmfulness.regressor={tiny_regressor(folder / 'regressor')}")
    return (*given, "evaluations.gsm8k.limit=2", "evaluations.elo.prompts=2", "evaluations.elo.temperatures=[1.0]")
