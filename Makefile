# Two commands: "make run" shows the product, "make test" checks it.
MAKEFLAGS += --no-print-directory
VENV := .venv/bin

.PHONY: help install run test clean

help:
	@echo "make run    install, load the demo, serve it at http://127.0.0.1:8000 (PORT=... changes that)"
	@echo "make test   install, run every check and every test"
	@echo "make clean  remove what the two left behind, the demo's data included"

install:
	@bin/install

run: install
	@exec $(VENV)/python -m config.run

test: install
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/djlint --quiet --check --lint templates demo/templates
	DEMO=1 $(VENV)/python manage.py check --fail-level WARNING
	DEMO=1 $(VENV)/python manage.py makemigrations --check --dry-run
	$(VENV)/coverage erase
	$(VENV)/coverage run -m pytest -n 2
	$(VENV)/coverage combine --quiet
	$(VENV)/coverage report

clean:
	rm -rf .venv var staticfiles test-results .coverage .coverage.* .*_cache
