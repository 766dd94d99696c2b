PY := .venv/bin

.PHONY: setup check check-static format test torture programs bench docs
setup:          ; scripts/setup-tests
check: check-static ; $(PY)/pytest tests/unit
check-static:   ; $(PY)/ruff format --check . && $(PY)/ruff check . && $(PY)/pyright && $(PY)/lint-imports
format:         ; $(PY)/ruff format . && $(PY)/ruff check --fix .
test:           ; $(PY)/pytest
# The crash rules at length, and the examples that sleep for minutes.
torture:
	@echo "about 35 minutes on two cores, and then as long as the slow examples sleep"
	ARGOSY_KILLS=1000 ARGOSY_ROUNDS=200 $(PY)/pytest tests/faults/test_driver_*.py
	ARGOSY_TORTURE=1 $(PY)/pytest tests/faults/test_record_*.py tests/faults/test_store_*.py
	ARGOSY_SLOW=1 $(PY)/pytest tests/conformance
# A workflow in Python means what Python means: 10,000 random programs, about six minutes of one core.
programs:       ; ARGOSY_PROGRAMS=10000 $(PY)/pytest tests/properties/test_python_programs.py
# Figures of this machine: the engine beside other tools, then its parts.
bench:
	for part in engine runtimes planning expressions journal store logs reuse; do $(PY)/python benchmarks/$$part.py || exit 1; done
docs:           ; $(PY)/python scripts/generate-docs
