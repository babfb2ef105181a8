# Every target works in .venv, which the first of them sets up from requirements.txt.
PYTHON ?= python3
READY := .venv/.ready

# DVC runs the stages' `python` from PATH.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help repro params review test lint mutate kill bench lock
.DEFAULT_GOAL := help

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s%s\n", $$1, $$2}' Makefile

repro: $(READY) ## run the pipeline: every stage whose code, data or parameters changed
	@.venv/bin/python -m stages.recovery
	@.venv/bin/python -m stages.task
	.venv/bin/dvc repro

params: $(READY) ## write params.yaml in the style that `dvc exp run -S` leaves alone
	@.venv/bin/python -c 'from dvc.utils.hydra import apply_overrides; \
		apply_overrides("params.yaml", [])'

review: $(READY) ## what a change did, as Markdown and HTML in review/ (BASE=main HEAD=<the workspace>)
	@.venv/bin/python -m stages.review $(or $(BASE),main) $(HEAD)

test: $(READY) ## run the tests
	.venv/bin/pytest

lint: $(READY) ## check style and types
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

mutate: $(READY) ## make small mistakes in the optimizers: is each found? (FILES=<some of them>)
	PYTHONPATH=. .venv/bin/python tests/optim/mutants.py $(FILES)

kill: $(READY) ## kill the pipeline and a sweep again and again: is anything lost? (N=100 SEED=1)
	PYTHONPATH=.:tests .venv/bin/python tests/recovery/kills.py $(or $(N),100) $(SEED)

BENCHMARK := .venv/bin/pytest -o python_files='bench_*.py' -n 0 --benchmark-enable --benchmark-only

bench: $(READY) ## run the benchmarks (SEED=<file>: its fenced scripts, against a cold repro)
	SEED='$(SEED)' $(BENCHMARK) tests/benchmarks
	KERNELS=native $(BENCHMARK) tests/benchmarks/bench_step.py

lock: ## write requirements.txt anew from the newest versions that pyproject.toml allows
	rm -rf .venv/lock
	$(PYTHON) -m venv .venv/lock
	.venv/lock/bin/python -m pip install --quiet $$(.venv/lock/bin/python -c 'import tomllib; \
		project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
		print(*project["dependencies"], *project["optional-dependencies"]["dev"])')
	@echo '# Written by `make lock`: all that pyproject.toml asks for, and all that these need.' \
		> requirements.txt
	.venv/lock/bin/python -m pip freeze --all | sed 's/+cpu$$//' \
		| grep -vE '^(pip==|nvidia-|cuda-|triton)' >> requirements.txt
	rm -rf .venv/lock

$(READY): requirements.txt
	@$(PYTHON) -c 'import sys; sys.version_info < (3, 11) and sys.exit("Python 3.11 or newer is \
	needed, $(PYTHON) is %d.%d: make PYTHON=<a newer one>" % sys.version_info[:2])'
	@echo 'Setting up .venv from requirements.txt; the first time takes some minutes.'
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@
