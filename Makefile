PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo shipped test

demo: .venv/installed
	$(BIN)/python scripts/train.py --dataset digits --batch-size 32 --epochs 60 --recipe "balanced with settling=0.1, settling_noise=1" --output runs/demo $(if $(wildcard runs/demo/run.json),--resume)

# The model in saved_models/digits: the demo's run, exported.
shipped: .venv/installed-dev demo
	$(BIN)/python scripts/ship.py runs/demo --name digits

test: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@
