# `make app` and `make test` are all a user needs; both make .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# To choose another build of torch (CPU-only, CUDA), give pip the index that pytorch.org names for it:
#   make app TORCH_INDEX=<url>
PIP_INDEX := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
# Other engines beside PyTorch are installed too; to leave them out: make app RUNTIMES=0
# They have a stamp of their own, so that a later make app brings what was left out.
READY := $(VENV)/.ready $(if $(filter 0,$(RUNTIMES)),,$(VENV)/.ready-runtimes)

.PHONY: app setup test check example readme
app: $(READY)
	$(BIN)/streamlit run app.py

setup: $(VENV)/.ready-dev

test: $(VENV)/.ready-dev
	$(MAKE) check
# One that dies is started again once: a test that ends its process each time would be waited for without end.
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 1

check: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

example: $(READY)
	$(BIN)/python -m efficiency.results.example

readme: $(VENV)/.ready
	$(BIN)/python -m efficiency.readme

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=<path to one>.") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: requirements.txt | $(VENV)/bin/pip
	$(BIN)/pip install $(PIP_INDEX) -r requirements.txt
	touch $@

$(VENV)/.ready-runtimes: requirements-runtimes.txt $(VENV)/.ready
	$(BIN)/pip install $(PIP_INDEX) -r requirements.txt -r requirements-runtimes.txt
	touch $@

$(VENV)/.ready-dev: requirements-dev.txt requirements-runtimes.txt $(VENV)/.ready
	$(BIN)/pip install $(PIP_INDEX) -r requirements-dev.txt
	touch $@
