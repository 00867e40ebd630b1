# Everything a contributor runs. `make demo` and `make test` do all the set-up themselves.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready

.PHONY: setup demo test soak fuzz check format docs goldens lock bench bench-copies model clean

setup: $(STAMP)

# One environment with every extra and the test tools, exactly as pinned in requirements.lock.
# Compiled once here, as pip does, or every process would compile PyTorch where no cache may be written.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "vscan is run and tested on Python 3.11; set PYTHON=python3.11" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "$$(grep -m1 '^uv==' requirements.lock)"
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $(STAMP)

demo: setup
	$(BIN)/vscan demo

# The sources compiled first: hundreds of reader processes start in it, and may write no cache.
test: setup
	$(BIN)/python -m compileall -q src
	$(BIN)/pytest -q -n auto --dist loadfile -m "not soak"

# Long kills, fuzzing, slow emulators: before a release, not on every change.
soak: setup
	$(BIN)/pytest -q -m soak --timeout 3600

# Hostile inputs from a seed, for so many seconds in all; a list of targets narrows it.
SECONDS ?= 60
SEED    ?= 1
TARGETS ?=
fuzz: setup
	$(BIN)/python -m fuzz --seconds $(SECONDS) --seed $(SEED) $(TARGETS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m docs.generate --check
	$(BIN)/pytest -q tests/test_floors.py tests/test_imports.py tests/faults/test_forbidden_calls.py

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Rewrites the generated pages: command reference and JSON Schemas.
docs: setup
	$(BIN)/python -m docs.generate

# Pinned records anew, for a change that is meant: read the diff before committing it.
goldens: setup
	$(BIN)/python -m tests.goldens

bench: setup
	$(BIN)/python -m bench

# Copy detection on the videos of VSCAN_CORPUS; against Meta's vPDQ too where VPDQ_PYTHON has it.
# The first run encodes the copies (minutes to an hour), later ones only what changed.
bench-copies: setup
	@test -n "$$VSCAN_CORPUS" || { echo "set VSCAN_CORPUS to a folder of videos" >&2; exit 2; }
	$(BIN)/python -m bench.copies make --videos "$$VSCAN_CORPUS" --out bench-copies --seed 1 \
	  --same bench/copies/corpus-same.txt
	$(BIN)/python -m bench.copies run --set bench-copies \
	  --columns "all,pdq,keypoints,embedding$${VPDQ_PYTHON:+,vpdq}" \
	  $${VPDQ_PYTHON:+--vpdq-python "$$VPDQ_PYTHON"}

# Trains the built-in demo model anew from its seed (about 80 minutes on two cores).
model: setup
	$(BIN)/python -m training.builtin

# Addresses of registries never enter the lock file: it holds names and versions alone.
lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --group dev \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache vscan-demo
