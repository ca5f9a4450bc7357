# The two commands of this project are `make run` and `make test`; each does all the
# set-up it needs. Everything else is for those who work on the platform.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH := torch==2.13.0

.DEFAULT_GOAL := help
.PHONY: help run test test-browser test-slow test-services lint types layers migrations-check check coverage lock gates-eval bench chaos screenshots image chart monitoring monitoring-test rolling

help: ## list what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort

# torch goes first and by exact pin: a loose range pulls CUDA packages of several GB.
$(VENV)/.installed: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing requirements (a few minutes the first time)"
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

run: $(VENV)/.installed ## start everything and show the main job (Ctrl-C stops)
	@exec $(BIN)/python -m pe_platform.launch

test: $(VENV)/.installed-dev ## run the tests, on SQLite unless DATABASE_URL says otherwise
	$(BIN)/python -m pytest -n 2

test-browser: $(VENV)/.installed-dev ## the main journey in Chromium (PE_CHROMIUM names the browser)
	$(BIN)/python -m pytest -m slow tests/browser

screenshots: $(VENV)/.installed-dev ## the pictures of README and guides, from a fresh demo
	$(BIN)/python docs/screenshots.py

coverage: $(VENV)/.installed-dev ## run the tests and fail under 90 % coverage
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term

lint: $(VENV)/.installed-dev ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev ## mypy --strict
	$(BIN)/mypy apps pe_platform

layers: $(VENV)/.installed-dev ## who may import whom
	$(BIN)/lint-imports

migrations-check: $(VENV)/.installed-dev ## models without a migration
	PE_ENVIRONMENT=local DJANGO_SETTINGS_MODULE=pe_platform.settings.test $(BIN)/python manage.py makemigrations --check --dry-run

check: lint types layers migrations-check test ## everything quick

gates-eval: $(VENV)/.installed-dev ## how well the gates judge, as JSON; DATA=folder adds labelled rows
	$(BIN)/python -m benchmarks.gate_quality $(if $(DATA),--data $(DATA))

bench: $(VENV)/.installed-dev ## gate latency and serving figures, as JSON
	$(BIN)/python benchmarks/gate_latency.py
	$(BIN)/python benchmarks/serving.py

test-slow: $(VENV)/.installed-dev ## the web as deployed, with a slow client
	$(BIN)/python -m pytest -m slow tests/platform

chaos: $(VENV)/.installed ## kill -9 each process during the demo; it must end the same
	$(BIN)/python benchmarks/chaos.py

lock: ## resolve requirements*.in into the locked files (needs uv)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-emit-find-links requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-emit-find-links requirements-dev.in -o requirements-dev.txt

TOOLS := build/tools

$(TOOLS)/.installed: deploy/requirements-tools.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check -r deploy/requirements-tools.txt
	@touch $@

image: $(TOOLS)/.installed ## build the image with buildah, run it with podman, say what was proved (root)
	$(TOOLS)/bin/hadolint deploy/Dockerfile
	deploy/build_image.sh

chart: $(TOOLS)/.installed ## render, lint and validate the Helm chart for three releases
	$(TOOLS)/bin/python deploy/helm/check.py --tools build/chart

monitoring: $(VENV)/.installed-dev ## write the generated rules and dashboards
	$(BIN)/python deploy/monitoring/generate.py
	$(BIN)/python deploy/helm/make_schema.py

monitoring-test: $(VENV)/.installed-dev ## rules, alerts and routes, then a broken gate to a received page
	$(BIN)/python deploy/monitoring/check.py

rolling: $(VENV)/.installed-dev ## replace two instances behind nginx under load; no request may fail
	$(BIN)/python benchmarks/rolling.py
