# Two commands for people:  make lab  opens the course,  make test  runs every check.  `make help` lists the rest.

VENV ?= .venv
CONSTRAINTS ?= constraints.txt
ARGS ?=
PIP_ARGS ?=
# two workers when there are two cores to spare; WORKERS=0 runs in one process
WORKERS ?= 2
# the first of these that is Python 3.11 or newer
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)

BIN := $(VENV)/bin
PEERS := benchmarks/.venv-peers
PIP := $(BIN)/python -m pip install --disable-pip-version-check $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) $(PIP_ARGS)
EXTENSION := ctkit/jupyter/labextensions/ctkit-lab/package.json
DEPS := pyproject.toml $(CONSTRAINTS) $(EXTENSION)

.PHONY: help lab test browser lint widgets labextension models bench clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22
	@echo
	@echo "  make lab ARGS=--no-browser       serve only;   make lab PIP_ARGS=…     more words for pip"
	@echo "  make test ARGS='-k mask'         some tests;   make lab CONSTRAINTS=   newest versions, not the pinned ones"

lab: $(BIN)/.course  ## open JupyterLab on the first lesson
	@$(BIN)/ctkit lab $(ARGS)

test: $(BIN)/.dev browser  ## every check: library, notebooks, browser, widgets
	@env OMP_NUM_THREADS=1 $(BIN)/python -m pytest --durations=20 $(if $(filter-out 0,$(WORKERS)),-n $(WORKERS) --dist loadfile --no-loadscope-reorder) $(ARGS)

browser:
	@sh .ci/chromium || true

lint: $(BIN)/.dev  ## style of the Python code
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

widgets: widgets/node_modules/.installed  ## rebuild the front-end bundles (needs Node.js)
	@cd widgets && npm run build

labextension: widgets/node_modules/.installed-lab  ## rebuild the JupyterLab extension (needs Node.js)
	@cd widgets/labextension && npm run check && npm run build

models: $(BIN)/.dev  ## train the teaching models again (hours on two cores)
	@for name in $$($(BIN)/python -c "from ctkit.zoo import manifest; print(*manifest.names())"); do \
		$(BIN)/ctkit train $$name && $(BIN)/ctkit card $$name || exit 1; done

bench: $(PEERS)/.installed  ## ctkit beside other libraries: the same jobs, as ratios
	@env OMP_NUM_THREADS=1 TQDM_DISABLE=1 $(PEERS)/bin/python -m benchmarks.beside $(ARGS)

clean:  ## remove the environment and everything built
	rm -rf $(VENV) $(PEERS) dist build widgets/node_modules .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what the commands above need; each is done once, and again when pyproject.toml, the pins or the extension change ---

$(BIN)/python:
	@[ -n "$(PYTHON)" ] || { echo "ctkit needs Python 3.11 or newer, and none was found."; \
		echo "Install one, or name it:  make lab PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "This Python cannot make environments (no venv, or no ensurepip)."; \
		echo "On Debian and Ubuntu:  apt-get install python3-venv      Otherwise use the conda or uv route in README.md."; exit 1; }
	@echo "making the environment $(VENV) with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv $(VENV)

$(BIN)/.course: $(DEPS) | $(BIN)/python
	@echo "installing ctkit and JupyterLab into $(VENV) (some minutes the first time) …"
	@$(PIP) -qq -e '.[course]'
	@touch $@

$(BIN)/.dev: $(DEPS) | $(BIN)/python
	@echo "installing ctkit and what its tests need into $(VENV) (some minutes the first time) …"
	@$(PIP) -qq -e '.[course,dev]'
	@touch $@ $(BIN)/.course

# the other libraries live apart: what they ask for is not what the course needs
$(PEERS)/.installed: benchmarks/peers.txt benchmarks/peers-alone.txt pyproject.toml | $(BIN)/python
	@echo "installing ctkit and its peers into $(PEERS) (some minutes the first time) …"
	@$(BIN)/python -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --disable-pip-version-check $(PIP_ARGS) -qq -r benchmarks/peers.txt -e .
	@$(PEERS)/bin/python -m pip install --disable-pip-version-check $(PIP_ARGS) -qq --no-deps -r benchmarks/peers-alone.txt
	@touch $@

widgets/node_modules/.installed: widgets/package.json widgets/package-lock.json
	@cd widgets && npm ci --workspaces=false --no-fund --no-audit --loglevel=error && touch node_modules/.installed

# the extension's packages are many more, and asked for only here
widgets/node_modules/.installed-lab: widgets/package.json widgets/package-lock.json widgets/labextension/package.json
	@cd widgets && npm ci --no-fund --no-audit --loglevel=error && touch node_modules/.installed node_modules/.installed-lab
