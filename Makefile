# `make help` lists the targets. Everything happens in .venv, with pip alone: nothing is compiled.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help venv test gpu-check demo lint format doctor pictures docs dist clean

VENV := .venv
BIN := $(VENV)/bin
LOG := $(VENV)/install.log
# The newest of Python 3.13 to 3.10 that is found. Name another with PYTHON=...
PYTHON ?=
PYTEST_ARGS ?=
# Processes that run tests side by side, each file in one of them.
TEST_JOBS ?= 2
# Two numeric threads in each process fight for the same cores when tests run side by side.
export OMP_NUM_THREADS ?= 1

REQUIREMENTS := requirements.txt $(wildcard requirements/*.txt)
DEPS_STAMP := $(VENV)/.dependencies
PACKAGE_STAMP := $(VENV)/.package
PACKAGE_FILES := setup.py pyproject.toml gvhmr_da_mm/version.py \
	gvhmr_da_mm/compat/link_editable.py
SOURCES := gvhmr_da_mm tools configs benchmarks tests docs setup.py
LANGUAGES := en zh_tw

# $(call pip,what is done,arguments): one quiet step; its output goes to the log.
pip = echo "  $(1)"; $(BIN)/python -m pip install --disable-pip-version-check --no-input \
	--progress-bar off $(2) >> $(LOG) 2>&1 \
	|| { echo "failed: pip install $(2)"; tail -n 30 $(LOG); echo "all of it: $(LOG)"; exit 1; }

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

venv: $(PACKAGE_STAMP)  ## Make .venv with everything needed, or bring it up to date

$(DEPS_STAMP): $(REQUIREMENTS)
	@python=; version='import sys; print("%d.%d" % sys.version_info[:2])'; \
	for candidate in $(or $(PYTHON),python3.13 python3.12 python3.11 python3.10 python3 python); do \
	  found=$$($$candidate -c "$$version" 2>/dev/null) || continue; \
	  case "$$found" in 3.10|3.11|3.12|3.13) python=$$candidate; break;; \
	    *) echo "$$candidate is Python $$found, which is not supported";; \
	  esac; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "error: expected Python 3.10 to 3.13 as $(or $(PYTHON),python3.10 ... python3.13 or python3), found none."; \
	  echo "Install one, or name it: make venv PYTHON=/path/to/python3.12"; exit 1; \
	fi; \
	if ! $(BIN)/python -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$$found')" \
	    2>/dev/null; then \
	  echo "Making $(VENV) with $$python (Python $$found)"; $$python -m venv --clear $(VENV); \
	fi; \
	: > $(LOG)
	@echo "Installing; the first time takes a few minutes, $(LOG) tells more"
	@$(call pip,1/3 packages with their dependencies,-r requirements.txt)
	@$(call pip,2/3 MMPose and others without theirs,--no-deps --ignore-requires-python \
		-r requirements/mminstall_nodeps.txt -r requirements/mediapipe.txt)
	@touch $@

$(PACKAGE_STAMP): $(DEPS_STAMP) $(PACKAGE_FILES)
	@$(call pip,3/3 this package (editable),--no-deps --no-build-isolation -e .)
	@$(BIN)/python -m gvhmr_da_mm.compat.link_editable
	@touch $@

# Where Python may not keep compiled files, each process that a test starts compiles all of them.
test: export PYTHONDONTWRITEBYTECODE :=
test: venv lint  ## Check the style and run all tests
	$(BIN)/python -m pytest -n $(TEST_JOBS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

gpu-check: venv  ## Run what needs a GPU, within six minutes; elsewhere a dry run
	$(BIN)/python benchmarks/gpu_check.py

demo: venv  ## Show it on a real video; then train, adapt, evaluate and draw on made-up data
	$(BIN)/python tools/demo.py

lint: venv  ## Check the style and which module imports which
	$(BIN)/ruff check $(wildcard $(SOURCES))
	$(BIN)/ruff format --check $(wildcard $(SOURCES))
	$(BIN)/lint-imports --no-logo

format: venv  ## Format the code and fix what ruff can fix
	$(BIN)/ruff check --fix $(wildcard $(SOURCES))
	$(BIN)/ruff format $(wildcard $(SOURCES))

doctor: venv  ## Say what is installed and what is missing
	$(BIN)/python tools/misc/collect_env.py

pictures: demo  ## Draw the pictures of README.md and the pages again
	$(BIN)/python docs/_pictures

docs: venv  ## Build the documentation site into docs/_build, in both languages
	for language in $(LANGUAGES); do \
	  $(BIN)/python -m sphinx -W --keep-going -q -b html docs/$$language docs/_build/$$language; \
	done

dist: venv  ## Build sdist and wheel into dist/ and check them
	rm -rf build dist
	$(BIN)/python -m build --no-isolation > $(VENV)/build.log 2>&1 \
	  || { tail -n 30 $(VENV)/build.log; exit 1; }
	$(BIN)/python -m twine check --strict dist/*
	du -h dist/*

clean:  ## Remove the environment and everything built
	rm -rf $(VENV) build dist docs/_build docs/*/reference *.egg-info gvhmr_da_mm/.mim .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
