PYTHON ?= python3
BIN := .venv/bin

.PHONY: audit bench demo docs shipped slow test

demo: .venv/installed
	$(BIN)/dvae train $(if $(wildcard runs/demo/run.json),--resume,--dataset digits --batch-size 32 --epochs 60 \
		--set cycle=1 shift_joint=true) --output runs/demo

# The model in saved_models/digits: the demo's run, exported.
shipped: .venv/installed-dev demo
	$(BIN)/dvae ship runs/demo --name digits

# Two workers, each with one thread: those of one would only wait for those of the other.
PYTEST := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 \
	--dist loadfile --durations 20

test: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST)

# The tests that take more than three seconds each: whole trainings, all exports, XLA, devices, the wheel.
slow: .venv/installed-dev
	$(PYTEST) -m slow

# The site, in runs/site; every code block of its pages that does not train for long is run.
docs: .venv/installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build
	$(BIN)/python -m pytest -m pages tests/docs

# Known holes in what is installed; asks the package index.
audit: .venv/installed-dev
	$(BIN)/pip-audit --skip-editable

# Ten minutes or so; nothing else should be running.
BENCHMARKS := train_step generate mixture input start
bench: .venv/installed-dev
	mkdir -p runs/bench
	for name in $(BENCHMARKS); do echo "\n$$name\n"; \
		$(BIN)/python benchmarks/$$name.py --output runs/bench/$$name.json || exit 1; done

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@
