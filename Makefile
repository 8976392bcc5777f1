# Everything starts here. On a machine with git, make and Python 3.11-3.13 nothing else is needed first.

PY := .venv/bin/python
INSTALLED := .venv/.installed
WORKERS ?= auto
ARGS ?=

export MLFLOW_DISABLE_TELEMETRY := true
# LightGBM's idle threads spin by default, and take from whoever shares the cores (other test workers): on two busy cores
# a training took 151 s of which 109 s CPU so, 93 s and 43 s CPU with threads that sleep.
export OMP_WAIT_POLICY := passive
# Set, it makes every start recompile every library (mlflow: 9 s instead of 2.5 s).
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
unexport PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help set-up demo test check format check-format check-lint check-types check-imports check-sql check-docs check-lock
.PHONY: bench bench-full docs lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo '  ARGS= is passed on: make test ARGS="tests/unit -k dates". PYTHON= names the interpreter to set up with.'

set-up: $(INSTALLED) ## .venv with the locked versions (the other targets do this themselves)
	@:

# Made again when the lock or the project changed, when the folder has moved, or when its interpreter is gone.
$(INSTALLED): requirements.lock pyproject.toml .ci/set-up
	@sh .ci/set-up
ifneq ($(shell $(PY) -c "print(open('$(INSTALLED)').read())" 2>/dev/null),$(realpath .))
.PHONY: $(INSTALLED)
endif

demo: $(INSTALLED) ## simulate a small telco in demo/, train, run one night, show where the lists are
	@.venv/bin/churnrisk demo demo $(if $(CUSTOMERS),--customers $(CUSTOMERS)) $(ARGS)

# The workers are as many as the cores: OpenBLAS threads on top of them wait by spinning. On two cores with five busy
# processes a training of 1,200 customers took 65 s of processor time so, 24 s with one thread.
test: export OPENBLAS_NUM_THREADS := 1
# The whole way (tests/e2e) first: files with the most tests first, the default, leave its few and long ones to the end, on one worker.
test: $(INSTALLED) ## all tests
	@$(PY) -m pytest -n $(WORKERS) --maxprocesses 8 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(INSTALLED) ## format, lint, types, import directions, SQL, docs, lock: all of them, then the verdict
	@$(MAKE) --no-print-directory --keep-going check-lock check-format check-lint check-imports check-sql check-docs check-types

check-format: $(INSTALLED)
	@$(PY) -m ruff format --check --output-format concise .

check-lint: $(INSTALLED)
	@$(PY) -m ruff check --output-format concise .

check-types: $(INSTALLED)
	@$(PY) -m mypy

check-imports: $(INSTALLED)
	@said=$$(.venv/bin/lint-imports --no-cache 2>&1) || { echo "$$said"; exit 1; }; echo "$$said" | tail -n 1

check-sql: $(INSTALLED)
	@$(PY) -m tests.gates.sql
	@said=$$(.venv/bin/sqlfluff lint --disable-progress-bar churnrisk features training scoring 2>&1) || { echo "$$said"; exit 1; }

check-docs: $(INSTALLED)
	@$(PY) -m tests.gates.docs

check-lock: $(INSTALLED)
	@$(PY) -m tests.gates.lock

format: $(INSTALLED) ## rewrite the code as `make check` wants it
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format .
	@.venv/bin/sqlfluff fix --disable-progress-bar --quiet churnrisk features training scoring

bench: $(INSTALLED) .venv-peers/.installed ## speed and accuracy against peers, as tables
	@$(PY) -m tests.bench $(ARGS)

bench-full: $(INSTALLED) .venv-peers/.installed ## the same at full size, all seeds
	@$(PY) -m tests.bench --full $(ARGS)

# igraph (GPL), networkit, CatBoost and XGBoost, to measure beside; never a dependency. Without them the benchmark prints ours alone.
.venv-peers/.installed: tests/bench/peers.txt $(INSTALLED)
	@$(PY) -m uv venv --quiet --clear --python $(PY) .venv-peers && \
		$(PY) -m uv pip sync --quiet --python .venv-peers/bin/python --require-hashes tests/bench/peers.txt && touch $@ || \
		echo "bench: peers could not be installed; churnrisk is measured without them"

docs: $(INSTALLED) ## write the generated parts of churnrisk/docs again
	@$(PY) -m tests.gates.docs --write

lock: $(INSTALLED) ## resolve again (ARGS="--upgrade", ARGS="--upgrade-package polars"): hashes, no addresses
	@$(PY) -m uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file requirements.lock $(ARGS)
	@$(PY) -m uv pip compile tests/bench/peers.in --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file tests/bench/peers.txt $(ARGS)
	@$(PY) -m tests.gates.lock

clean: ## remove what the targets made, but for .venv
	rm -rf demo dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find churnrisk features training scoring tests -name __pycache__ -prune -exec rm -rf {} +
