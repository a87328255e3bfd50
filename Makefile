# Two commands: "make run" shows the product, "make test" checks it.
MAKEFLAGS += --no-print-directory
VENV := .venv/bin
# Some containers forbid Python to store what it has compiled; each process would compile all again.
export PYTHONDONTWRITEBYTECODE :=

CHECKS := types lint format templates system migrations

.PHONY: help install run test modules openapi sbom clean $(CHECKS)

help:
	@echo "make run    install, load the demo, serve it at http://127.0.0.1:8000 (PORT=... changes that)"
	@echo "make test   install, run every check and the tests that need no server or browser"
	@echo "make modules write docs/modules.md: what is in each module"
	@echo "make openapi write docs/openapi.json: what the API says of itself"
	@echo "make sbom   list the libraries that run in production in var/sbom.json (CycloneDX)"
	@echo "make clean  remove what the two left behind, the demo's data included"

install:
	@bin/install

run: install
	@exec $(VENV)/python -m config.run

# The checks run two at a time, and each shows its output when it ends. .ci/run has the other tests.
test: install
	@$(MAKE) --jobs=2 --output-sync=target $(CHECKS)
	$(VENV)/pytest -n 2 -m 'not browser and not slow'

types:
	$(VENV)/mypy

lint:
	$(VENV)/ruff check .

format:
	$(VENV)/ruff format --check .

templates:
	$(VENV)/djlint --check --lint templates demo/templates

system:
	DEMO=1 $(VENV)/python manage.py check --fail-level WARNING

migrations:
	DEMO=1 $(VENV)/python manage.py makemigrations --check --dry-run

modules:
	@$(VENV)/python bin/list_modules.py > docs/modules.md

openapi:
	@$(VENV)/python bin/write_openapi.py

sbom: install
	@$(VENV)/python bin/sbom.py

clean:
	rm -rf .venv var staticfiles test-results .coverage .coverage.* .*_cache
