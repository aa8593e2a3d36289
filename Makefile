# run, test, test-full, check, bench, architectures, clean. Everything happens in .venv, which is
# rebuilt only when pyproject.toml or constraints.txt change.
PYTHON ?= python3
PORT ?= 8501
CONFIG ?= configs/minilm.yaml
BIN := .venv/bin

export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false

.PHONY: run test test-full check bench architectures clean

.venv/.ready: pyproject.toml constraints.txt
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dashboard,notebook]' --group dev
	touch $@

run: .venv/.ready
	$(BIN)/streamlit run app.py --server.port $(PORT) -- --config $(CONFIG)

check: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Three processes for two cores, as some tests wait for browsers and servers; each with a third of
# the files and one thread of torch's. Who is done first takes from the others.
test test-full: export OMP_NUM_THREADS = 1
test: check
	$(BIN)/python -m pytest --numprocesses 3 --dist worksteal

# What `make test` has no minutes for: everything on every model type, long nulls, random kills.
test-full: .venv/.ready
	$(BIN)/python -m pytest -m full --numprocesses 3

bench: .venv/.ready
	$(BIN)/python -m benchmarks

# Runs every architecture that inspector knows; after a new transformers version, look at the diff.
architectures: .venv/.ready
	$(BIN)/inspector architectures --output docs/architectures.md --force

clean:
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
