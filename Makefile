# Everything sets up what it needs by itself. PYTHON=... picks another interpreter, REPO=... the demo's repository.
VENV ?= .venv
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test test-long mutate test-kills test-newer-git test-managers test-agents fuzz check bench bench-long clean
.DEFAULT_GOAL := help

help:
	@echo "make demo          the whole story on this machine   (REPO=/path/to/a/clone)"
	@echo "make test          every test"
	@echo "make check         format, lint, types, layering"
	@echo "make bench         what it costs, as ratios"
	@echo "make mutate        small mistakes in what decides: each must be noticed"
	@echo "make fuzz          every parser, SECONDS=60 each   (TARGETS=\"policy record\")"
	@echo "make test-long     an hour: parallel commits, kill -9, random histories"
	@echo "make test-kills    an hour: the server, killed 30 times, on both databases"
	@echo "make bench-long    MINUTES=60: the server under 500 pull requests an hour"
	@echo "make test-managers beside the real husky, lefthook, pre-commit and prek"
	@echo "make test-agents   beside the real agents, with a scripted model (2 GB)"
	@echo "make test-newer-git GIT=/path/to/git    the hooks with git 2.54 or newer"
	@echo "make clean         remove what these made"

demo: $(VENV)/.sandbox-installed
	@$(BIN)/foureyes demo $(if $(REPO),--repo "$(REPO:~/%=$(HOME)/%)")

# The core is held by its own tests to the last branch; measuring costs as much again as a test, so only these pay for it.
test: $(VENV)/.dev-installed
	$(BIN)/python -m pytest -n auto --dist worksteal --randomly-seed=1 --cov --cov-report= tests/shared $(ARGS)
	$(BIN)/coverage report --include='shared/*' --fail-under=100
	$(BIN)/python -m pytest -n auto --dist worksteal --randomly-seed=1 --ignore=tests/shared $(ARGS)

test-long: $(VENV)/.dev-installed
	FOUREYES_TEST_LONG=1 HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -n auto tests/hooks/test_model.py \
		tests/hooks/test_killed.py tests/hooks/test_rewrites_at_random.py tests/hooks/test_worktrees.py tests/hooks/test_scan_figures.py \
		tests/shared/test_histories.py tests/shared/test_properties.py tests/shared/test_floor.py \
		tests/github_app/test_faults.py $(ARGS)

# Servers are killed by the clock of what they do, so that one test at a time is enough for two cores.
test-kills: $(VENV)/.dev-installed
	FOUREYES_TEST_KILLS=1 FOUREYES_TEST_SEED=$${SEED:-$$$$} $(BIN)/python -m pytest -s tests/flow/test_kills.py \
		tests/flow/test_kills_whole.py $(ARGS)

# Its folder first on PATH, so that everything is done with it.
test-newer-git: $(VENV)/.dev-installed
	@test -x "$(GIT)" || { echo "name a git of 2.54 or newer: make test-newer-git GIT=/path/to/git"; exit 1; }
	PATH="$(dir $(abspath $(GIT))):$$PATH" FOUREYES_GIT="$(abspath $(GIT))" \
		$(BIN)/python -m pytest -n auto tests/hooks tests/flow $(ARGS)

mutate: $(VENV)/.dev-installed
	$(BIN)/python tests/mutate.py $(ARGS)

# At the end of PATH, so that nothing else of theirs is used.
test-managers: $(VENV)/.dev-installed $(VENV)/.managers-installed
	PATH="$$PATH:$(abspath $(VENV))/managers/bin:$(abspath $(VENV))/managers/node_modules/.bin" \
		FOUREYES_TEST_MANAGERS=1 $(BIN)/python -m pytest tests/hooks/test_managers.py $(ARGS)

# Where the kernel lets us, in a network of their own that has loopback alone.
test-agents: $(VENV)/.dev-installed $(VENV)/.agents-installed
	FOUREYES_TEST_AGENTS="$(abspath $(VENV))/agents/node_modules/.bin" \
		$$(unshare -rn true 2>/dev/null && echo unshare -rn) $(BIN)/python -m pytest tests/hooks/test_real_agents.py $(ARGS)

check: $(VENV)/.dev-installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev-installed
	@missed=; for bench in tests/bench_*.py; do echo "== $$bench"; $(BIN)/python $$bench || missed="$$missed $$bench"; done; \
		test -z "$$missed" || { echo "a bar was missed in:$$missed"; exit 1; }

bench-long: $(VENV)/.dev-installed
	$(BIN)/python tests/long_service.py $(or $(MINUTES),60)

# atheris has no wheel for every Python: where there is none, the lane says so and is skipped.
fuzz: $(VENV)/.dev-installed
	@$(BIN)/python -m pip install -q atheris || true
	@$(BIN)/python tests/fuzz.py $(or $(SECONDS),60) $(TARGETS)

clean:
	rm -rf .fuzz $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.* .import_linter_cache

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "foureyes needs Python 3.11 or newer: install one, or say PYTHON=/path/to/it"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "making a virtual environment failed: on Debian, apt install python3-venv"; exit 1; }

$(VENV)/.sandbox-installed: $(VENV)/bin/python pyproject.toml .ci/constraints.txt
	@echo "installing into $(VENV) (once) ..."
	@$(BIN)/python -m pip install -q -c .ci/constraints.txt -e '.[sandbox]'
	@touch $@

$(VENV)/.dev-installed: $(VENV)/bin/python pyproject.toml .ci/constraints.txt
	@echo "installing into $(VENV) (once) ..."
	@$(BIN)/python -m pip install -q -c .ci/constraints.txt -e '.[dev]'
	@touch $@

$(VENV)/.managers-installed: $(VENV)/bin/python
	@echo "installing hook managers into $(VENV)/managers (once) ..."
	@$(PYTHON) -m venv $(VENV)/managers
	@$(VENV)/managers/bin/python -m pip install -q pre-commit prek
	@# lefthook's own install script would put hooks into this very checkout.
	@npm install --silent --ignore-scripts --no-fund --no-audit --prefix $(VENV)/managers husky lefthook
	@touch $@

# No script of theirs but the two that put a program in its place.
$(VENV)/.agents-installed: $(VENV)/bin/python
	@echo "installing agent programs into $(VENV)/agents (once) ..."
	@npm install --silent --no-fund --no-audit --ignore-scripts --prefix $(VENV)/agents @anthropic-ai/claude-code \
		@openai/codex @google/gemini-cli @github/copilot opencode-ai @qwen-code/qwen-code
	@cd $(VENV)/agents/node_modules/@anthropic-ai/claude-code && node install.cjs
	@cd $(VENV)/agents/node_modules/opencode-ai && node postinstall.mjs
	@$(PYTHON) -m venv $(VENV)/agents/python
	@$(VENV)/agents/python/bin/python -m pip install -q aider-chat \
		&& ln -sf ../../python/bin/aider $(VENV)/agents/node_modules/.bin/aider \
		|| echo "aider could not be installed (it needs Python 3.12 or older): its test will be skipped"
	@touch $@
