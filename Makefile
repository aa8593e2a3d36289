# run, docs, test, test-full, check, bench, architectures, release-check, hub-check, gpu-check, lowest, clean.
# Everything happens in .venv, which is rebuilt only when pyproject.toml or constraints.txt change.
PYTHON ?= python3
PORT ?= 8501
CONFIG ?= configs/minilm.yaml
BIN := .venv/bin

export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false
# Where a machine asks Python to keep no bytecode, every process would compile all it imports.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test tests test-full docs check bench architectures release-check hub-check gpu-check lowest clean

.venv/.ready: pyproject.toml constraints.txt
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt pip
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[dashboard,notebook,docs]' --group dev
# Of 20,000 files a fifth is ever imported; the most of those are compiled here, once.
	$(BIN)/python -c 'import ray, scipy.stats, streamlit, torch; from transformers import BertModel'
	touch $@

run: .venv/.ready
	$(BIN)/streamlit run app.py --server.port $(PORT) -- --config $(CONFIG)

check: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The checks run beside the tests: each has nothing to wait for in the other.
test: .venv/.ready
	$(MAKE) --no-print-directory --jobs 2 tests check

# Three processes for two cores, as some tests wait for browsers and servers; one thread of torch's
# each. Who is done takes the next file, those that take longest first (tests/conftest.py).
tests test-full: export OMP_NUM_THREADS = 1
tests: .venv/.ready
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

# What `make test` has no minutes for: everything on every model type, long nulls, random kills.
test-full: .venv/.ready
	$(BIN)/python -m pytest -m full --numprocesses 3

# The documentation site, on http://127.0.0.1:8000; it loads nothing from another host.
docs: .venv/.ready
	$(BIN)/mkdocs serve --dev-addr 127.0.0.1:8000

bench: .venv/.ready
	$(BIN)/python -m benchmarks

# Runs every architecture that inspector knows; after a new transformers version, look at the diff.
architectures: .venv/.ready
	$(BIN)/python -m tools.model_types
	$(BIN)/inspector architectures --output docs/architectures.md --force

# What must be so before a release: see CONTRIBUTING.md.
release-check: .venv/.ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group release
	$(BIN)/python -m tools.release_check

# Published values of GPT-2, where a hub can be reached.
hub-check: .venv/.ready
	HF_HUB_OFFLINE=0 $(BIN)/python -m tools.hub_check

# A GPU beside the CPU, where there is one; else it says so.
gpu-check: .venv/.ready
	$(BIN)/python -m tools.gpu_check

# A part of the tests with the lowest versions that pyproject.toml allows, torch aside.
lowest: .venv/.ready
	$(BIN)/python -m tools.lowest

clean:
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
