# From data to a website. `make` alone lists what there is.

PYTHON ?= python3
OUT ?= _site
CASES ?= ../shared/cases/files
PORT ?= 4848

VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check
KAGGLEHUB := kagglehub==1.0.3
LIGHTHOUSE := lighthouse@12.8.2
UNIT := not builds and not browser and not quarto and not spark and not trials
FAST := $(UNIT) and not slow

# Without compiled modules each command takes seconds longer to start.
unexport PYTHONDONTWRITEBYTECODE
# Quarto's pre-render calls `python`, which must be the environment's.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export FROM := $(PWD)
export DATA OUT SITE SITE_URL

# A file, or a pattern of files, is looked for here, then where the user stood when calling `make -C`.
PLACE := import glob, os, sys; data, stood = sys.argv[1:]; \
  print(next((at for at in (data, os.path.join(stood, data)) if glob.glob(at)), data))
with_data = if [ -n "$$DATA" ] && [ ! -e "$$DATA" ]; then DATA="$$($(RUN) -c '$(PLACE)' "$$DATA" "$$FROM")"; fi;
# A folder that the user names is meant from where they stood.
with_out = case "$$OUT" in _site|/*) ;; *) [ "$$FROM" = "$(CURDIR)" ] || OUT="$$FROM/$$OUT" ;; esac;

.DEFAULT_GOAL := help
.PHONY: help site serve check data history quarto test check-fast unit coverage lint trials cases bench lighthouse validate intervals lock clean

help: ## List the targets and variables.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  DATA=file.csv      read this file instead of the first source in _quarto.yml"
	@echo "  DEMO=1             use synthetic data instead of the sources"
	@echo "  SITE_URL=https://…  address where the site will be published"
	@echo "  SITE=https://…      address of the published site, for make history"
	@echo "  OUT=folder         write the site to this folder, or to one file with OUT=name.zip"
	@echo "  UPGRADE=1          let make lock take newer versions of what is not pinned by name"
	@echo "  PYTHON=python3.12  create the environment with this Python (3.11 or newer)"

site: $(VENV)/.site ## Analyse the data and render the site into _site/.
	@$(with_data) $(with_out) $(RUN) -m analysis build --out "$$OUT" $${DATA:+--data "$$DATA"} $(if $(DEMO),--demo)
	@$(with_out) $(RUN) -m analysis render --out "$$OUT" $${SITE_URL:+--site-url "$$SITE_URL"}

serve: $(VENV)/.site ## Build the site, serve it locally and rebuild it after every change.
	@$(with_data) $(RUN) -m analysis preview --port "$(PORT)" $${DATA:+--data "$$DATA"}

check: $(VENV)/.site ## Check that the rendered site can be published.
	@$(with_out) $(RUN) -m analysis check --site "$$OUT"

data: $(VENV)/.site ## Download the public data file of the default study.
	@$(PIP) install --quiet $(KAGGLEHUB) >$(VENV)/install.log 2>&1 || true
	@$(RUN) -m analysis data

quarto: $(VENV)/.site ## Install the pinned version of Quarto into the environment.
	@echo "Installing $$(grep '^quarto-cli' requirements-quarto.txt) ..."
	@{ $(PIP) install --quiet -r requirements-quarto.txt && quarto --version; } >$(VENV)/install.log 2>&1 || { \
	  $(PIP) uninstall --quiet --yes quarto-cli >/dev/null 2>&1; \
	  echo "Quarto could not be downloaded; see $(VENV)/install.log." >&2; \
	  echo "  Install it from https://quarto.org/docs/get-started/ and run: make site" >&2; \
	  echo "  Until then, the embedded renderer makes the same site." >&2; exit 2; }
	@echo "Quarto $$(quarto --version) is installed. make site now renders with it."

history: $(VENV)/.site ## Download the records of earlier runs: make history SITE=https://…
	@$(RUN) -m analysis history --from "$$SITE"

test: $(VENV)/.test lint ## Lint, check types and run all tests.
	@$(RUN) -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --durations=25

check-fast: $(VENV)/.test ## Lint, check types and run the quick tests, in a minute: no browser, no builds.
	@$(MAKE) --no-print-directory -j 2 --output-sync=target lint unit

unit: $(VENV)/.test ## Run the unit tests: those that take no second, build no study and need no browser.
	@$(RUN) -m pytest -m "$(FAST)" -n auto --maxprocesses 4 --dist loadfile

coverage: $(VENV)/.test ## Run the unit tests and list the lines that they do not reach.
	@$(RUN) -m pytest -m "$(UNIT)" -n auto --maxprocesses 4 --dist loadfile --cov

lint: $(VENV)/.test ## Lint, check types and check the import rules.
	@$(RUN) -m ruff check
	@$(RUN) -m pyrefly check --summary=none --min-severity=error
	@$(VENV)/bin/lint-imports --no-cache --no-logo

trials: $(VENV)/.test ## Run the slow tests: interrupted builds in each engine, and the audit of five studies.
	@$(RUN) -m pytest -m trials -n auto --maxprocesses 2 --dist loadfile
	@$(RUN) -m tests.audit

cases: $(VENV)/.test ## Read the files in CASES and compare the readings with what is right.
	@$(RUN) tests/cases/run.py "$(CASES)"

bench: $(VENV)/.site ## Measure time and memory of builds, evidence, aggregation, scoring and other tools.
	@$(RUN) -m tests.benchmarks
	@$(RUN) -m tests.benchmarks.bench_build
	@$(RUN) -m tests.benchmarks.bench_evidence
	@$(RUN) -m tests.benchmarks.bench_rivals
	@$(RUN) -m tests.benchmarks.bench_profiles
	@$(RUN) -m tests.benchmarks.bench_export

lighthouse: ## Measure the pages in OUT with Lighthouse, as on a phone (needs Node and Chromium).
	@npm install --silent --no-save --no-fund --no-audit --prefix $(VENV)/lighthouse $(LIGHTHOUSE)
	@LIGHTHOUSE=$(VENV)/lighthouse node tests/lighthouse.mjs "$(OUT)"

validate: $(VENV)/.site ## Validate the method on data with known segments: half an hour to an hour on two cores.
	@$(RUN) -m tests.validation

intervals: $(VENV)/.site ## Count how often published intervals hold the truth: half an hour on two cores.
	@$(RUN) -m tests.validation.intervals

# Versions that the requirements leave open stay as they are locked; UPGRADE=1 takes the newest.
lock: $(VENV)/.test ## Update the lock files, which pin every package with its hashes.
	@$(call lock,requirements-dev)
	@$(call lock,requirements,--constraint requirements-dev.lock)

define lock
$(RUN) -m uv --quiet pip compile $(1).txt --output-file $(1).lock $(2) $(if $(UPGRADE),--upgrade) \
  --generate-hashes --universal --python-version 3.11 --no-annotate --custom-compile-command 'make lock'
endef

# What is generated stands in .gitignore once; data/, site/notes/ and site/history/ stay.
clean: ## Remove the site, caches and generated pages; keep data, environment and the private records of build/history.
	@[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name history -exec rm -rf {} +
	@rm -rf .quarto .smalldocs .pytest_cache .ruff_cache .hypothesis
	@rm -rf $$(sed -n '/^# generated/,/^$$/ s|^/||p' .gitignore)
	@find analysis tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.site: requirements.lock | $(VENV)/bin/python
	@$(call install,$<)
	@touch $@

$(VENV)/.test: requirements-dev.lock requirements.lock | $(VENV)/bin/python
	@$(call install,$<)
	@touch $@ $(VENV)/.site

define install
echo "Installing $(1) into $(VENV) ..."; \
$(PIP) install --quiet --require-hashes -r $(1) >$(VENV)/install.log 2>&1 || { \
  echo "$(1) could not be installed. Last lines of pip:" >&2; \
  grep -v '^$$' $(VENV)/install.log | tail -n 3 | sed 's/^/  /' >&2; \
  echo "  The full output is in $(VENV)/install.log. Access to a Python package index is needed." >&2; exit 2; }
endef

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) does not exist. Install Python 3.11 or newer, or choose one: make site PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, but $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "  Choose another: make site PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { rm -rf $(VENV); \
	  echo "$(PYTHON) cannot create an environment: its venv module is incomplete." >&2; \
	  echo "  On Debian and Ubuntu: apt install python3-venv" >&2; exit 2; }
