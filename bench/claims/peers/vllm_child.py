"""vLLM in a process and an environment of its own: `python vllm_child.py MODEL DTYPE CONTEXT`.

Lines of JSON: `{"prompts": [[id, ...], ...], "new_tokens": n}` comes in, and the list of the written ids goes out.
Solon is not imported here.
"""

from __future__ import annotations

import json
import os
import sys


def main(model: str, dtype: str, context: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the library prints is no answer
    from vllm import LLM, SamplingParams

    engine = LLM(model=model, dtype=dtype, max_model_len=int(context), enable_prefix_caching=True, seed=0)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        sampling = SamplingParams(temperature=1.0, max_tokens=asked["new_tokens"], ignore_eos=True, detokenize=False)
        prompts = [{"prompt_token_ids": ids} for ids in asked["prompts"]]
        written = engine.generate(prompts, sampling, use_tqdm=False)
        print(json.dumps([list(one.outputs[0].token_ids) for one in written]), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
