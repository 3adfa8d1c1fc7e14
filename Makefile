# `make demo` shows a team at work, `make test` runs the tests. Needs Python 3.11, make and Git 2.38; all else goes into .venv.

PYTHON ?= python3
ARGS   ?=
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

# What Python compiled is kept: each of the thousands of commands that the tests run starts in half the time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test agents lint clean
.NOTPARALLEL:

demo: $(VENV)/.installed
	@$(BIN)/orchgit demo $(ARGS)

test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

agents: $(VENV)/.installed-dev
	@.ci/agents $(ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist htmlcov .agent-clis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "orchgit needs Python 3.11 or later, and $(PYTHON) is not. Name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml
	@echo "Installing orchgit into $(VENV) ..."
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.made pyproject.toml
	@echo "Installing orchgit and its development tools into $(VENV) ..."
	@$(PIP) install --editable '.[dev]'
	@touch $(VENV)/.installed $@
