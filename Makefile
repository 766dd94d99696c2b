PY := .venv/bin

.PHONY: setup check check-static format test docs
setup:          ; scripts/setup-tests
check: check-static ; $(PY)/pytest tests/unit
check-static:   ; $(PY)/ruff format --check . && $(PY)/ruff check . && $(PY)/pyright && $(PY)/lint-imports
format:         ; $(PY)/ruff format . && $(PY)/ruff check --fix .
test:           ; $(PY)/pytest
docs:           ; $(PY)/python scripts/generate-docs
