# Everything from a fresh checkout. `make run` and `make test` need Python ≥3.11, Node ≥20 and make, and nothing else
# typed beforehand: each target installs what it needs, and does nothing when that is in place.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Each process reads what the first one has compiled. Hence pip need not compile all of torch, of which little is used.
unexport PYTHONDONTWRITEBYTECODE
# Passed to `layerloom serve` by `make run`, e.g. ARGS="--port 9000 --no-browser".
ARGS ?=

STATIC := backend/layerloom/static/index.html
FRONTEND_SOURCES := $(shell find frontend/src frontend/public -type f 2>/dev/null) \
	$(wildcard frontend/index.html frontend/vite.config.ts frontend/package-lock.json)

.PHONY: run dev test endure check generate bench catalogue-report pictures wheel install system-packages clean help

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: $(VENV)/.runtime $(STATIC) ## Install, build and start LayerLoom, and open the page
	$(BIN)/layerloom serve $(ARGS)

dev: $(VENV)/.development frontend/node_modules/.installed ## Server on 7878 and front end with hot reload on 5173
	@trap 'kill 0' EXIT; $(BIN)/layerloom serve --port 7878 --no-browser & cd frontend && npm run dev

# Much of it waits, hence more workers than cores, of one thread each.
test: system-packages check $(STATIC) ## Every check and every test
	cd frontend && npm test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder \
		$(PYTEST_ARGS)

endure: system-packages $(VENV)/.development $(STATIC) ## All exports and networks of torchvision, 2,000 documents of each kind, 200 through the page, 200 kills of server or trainer, 50 in an epoch: two hours
	LAYERLOOM_EXPORTS=all $(BIN)/python -m pytest tests/unit/graph/exporting/test_examples.py
	LAYERLOOM_PROPERTIES=2000 $(BIN)/python -m pytest tests/unit/graph/checking/test_any_document.py
	LAYERLOOM_THROUGH_THE_PAGE=200 $(BIN)/python -m pytest tests/e2e/test_any_network.py
	LAYERLOOM_LIBRARY=all $(BIN)/python -m pytest tests/e2e/test_library.py tests/integration/test_library.py
	LAYERLOOM_INSTALL=all $(BIN)/python -m pytest tests/integration/test_fresh_install.py
	LAYERLOOM_SERVER_KILLS=200 LAYERLOOM_KILLS=50 $(BIN)/python -m pytest -s tests/faults/test_endurance.py \
		tests/faults/test_killed_trainer.py

check: $(VENV)/.development frontend/node_modules/.installed ## Format, lint, types, layers, generated files, container files
	$(BIN)/ruff check backend tests benchmarks docs frontend/tools
	$(BIN)/ruff format --check backend tests benchmarks docs frontend/tools
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd frontend && npm run check
	cd frontend && npm run --silent generate:check
	$(BIN)/python frontend/tools/phrases.py --check
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

generate: $(VENV)/.development frontend/node_modules/.installed ## Rewrite the files that are made from others
	cd frontend && npm run generate
	$(BIN)/python frontend/tools/phrases.py

bench: $(VENV)/.bench ## Side-by-side timings; prints ratios
	@set -e; for program in benchmarks/*.py; do echo "== $$program"; $(BIN)/python $$program; done

catalogue-report: $(VENV)/.development ## Try all of torch's samples on every layer and operation; write docs/CATALOGUE.md
	OMP_NUM_THREADS=1 $(BIN)/python docs/catalogue_report.py

import-report: $(VENV)/.development ## Open all networks of torchvision, timm and transformers in the zoo; write docs/imports.md
	OMP_NUM_THREADS=2 $(BIN)/python docs/import_report.py

pictures: system-packages $(VENV)/.development $(STATIC) ## Take the pictures of README and docs anew
	$(BIN)/python docs/pictures.py

wheel: $(VENV)/.development $(STATIC) ## Build the wheel, front end included
	$(BIN)/python -m build --wheel --outdir dist

install: $(VENV)/.development frontend/node_modules/.installed ## Only install

system-packages: ## Chromium with Chinese fonts and PostgreSQL, where the tests do not find them
	@tests/system-packages.sh

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.development: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.runtime

$(VENV)/.bench: $(VENV)/.development
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	@touch $@

frontend/node_modules/.installed: frontend/package-lock.json
	cd frontend && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(STATIC): frontend/node_modules/.installed $(FRONTEND_SOURCES)
	cd frontend && npm run build
	@touch $@

clean: ## Remove what was built, not what was installed
	rm -rf dist build backend/layerloom/static test-results .pytest_cache .mypy_cache .ruff_cache
