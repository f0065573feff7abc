# Everything a newcomer needs: `make demo` and `make test` do their own set-up.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
# Training has an environment of its own: the service never sees PyTorch.
TRAIN ?= .train
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
# Only training's environment can time the reference of the speed, which is PyTorch's.
TRAINING ?= $(wildcard $(TRAIN)/bin/python)
# Labelled images, and where pages that show them go: never into the repository.
DATA ?= $(WETREAD_TEST_DATA)
WORK ?= .wetread/evaluations
# Where `make validate` leaves sources and results.
OUT ?= .wetread/validation

.PHONY: help demo serve test test-long lint format bench validate evaluate lock tools viewer clean train-setup train-smoke

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: $(READY) ## the main job on this machine: synthetic radiographs in, answers out
	@$(RUN) -m wetread demo

serve: $(READY) ## the service, on the embedded default
	@$(RUN) -m wetread serve

test: $(READY) ## unit, contract and system tests (peers that are not installed are skipped by name)
	$(RUN) -m pytest -m "not long and not gpu" --cov --cov-report=term --cov-report=xml:.coverage.xml

test-long: $(READY) ## the tests that take minutes
	$(RUN) -m pytest -m long

lint: $(READY) ## style, types, and the import contract
	$(VENV)/bin/ruff check service tests models
	$(VENV)/bin/ruff format --check service tests models
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: $(READY) ## format and mend what can be mended
	$(VENV)/bin/ruff format service tests models
	$(VENV)/bin/ruff check --fix service tests models

validate: $(READY) ## every object of every profile before all judges: DATA=folder [OUT=folder]
	@test -n "$(DATA)" || { echo "validate: say where the real radiographs are: make validate DATA=folder"; exit 2; }
	$(RUN) -W ignore -m tests.validate "$(OUT)" --data "$(DATA)"

bench: $(READY) ## what the gate costs of a study's time; PROFILE=1 says where it goes
	$(RUN) -m tests.bench.gate $(if $(PROFILE),--profile)

evaluate: $(READY) ## measure every shipped model, rewrite figures and card: DATA=folder [SIGNING_KEY=file] [TRAINING=python]
	@test -n "$(DATA)" || { echo "evaluate: say where the labelled images are: make evaluate DATA=folder"; exit 2; }
	@if [ -n "$(TRAINING)" ]; then PYTHONPATH=models:service $(TRAINING) -m training.speed $(if $(ONLY),--only $(ONLY)); fi
	PYTHONPATH=models:service $(RUN) -m training.evaluate --data "$(DATA)" --work "$(WORK)" \
	  $(if $(SIGNING_KEY),--key "$(SIGNING_KEY)") $(if $(UNSIGNED),--unsigned) $(if $(ONLY),--only $(ONLY)) $(if $(LIMIT),--limit $(LIMIT))

train-setup: $(TRAIN)/.ready ## the environment that models are trained in: PyTorch, MONAI

train-smoke: $(TRAIN)/.ready ## two steps of each model on QC phantoms, through export to a bundle that loads
	PYTHONPATH=models:service $(TRAIN)/bin/python -m training.smoke

lock: ## pin every dependency by hash; the locks name no address
	uv pip compile pyproject.toml --extra cpu --extra postgresql --extra evaluate --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --extra gpu --extra postgresql --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header -q -o requirements-gpu.lock

tools: ## the peers the system tests talk to, from Debian (as root)
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends dcmtk orthanc \
	  orthanc-dicomweb dicom3tools redis-server postgresql chromium chromium-driver strace systemd \
	  libgdcm-tools libpixelmed-java default-jdk-headless libxml2-utils dicomscope xvfb xauth xdotool imagemagick \
	  $$(command -v npm >/dev/null || echo npm)

viewer: ## the OHIF viewer that the browser tests open, from npm
	.ci/ohif

clean: ## remove what was built
	rm -rf $(VENV) .train .cache .wetread .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage*

# PyTorch first, so that whatever build this machine needs is there when the others ask for it. Then the service:
# what is trained is measured on the road it will run on.
$(TRAIN)/.ready: models/training/requirements.txt pyproject.toml
	$(PYTHON) -m venv $(TRAIN)
	$(TRAIN)/bin/pip install --quiet "$$(grep '^torch==' $<)"
	$(TRAIN)/bin/pip install --quiet -r $< --editable ".[cpu,evaluate]"
	@touch $@

$(READY): requirements.lock
	@PYTHON=$(PYTHON) bash .ci/setup $(VENV)
	@touch $@
