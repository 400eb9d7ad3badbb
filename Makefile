# From data to a website. `make` alone lists what there is.

PYTHON ?= python3
OUT ?= _site
PORT ?= 4848

VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check
KAGGLEHUB := kagglehub==1.0.3
FAST := not builds and not browser and not quarto and not spark and not trials

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
.PHONY: help site serve check data history quarto briefs test check-fast unit coverage lint trials bench validate lock clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  DATA=file.csv      read this file instead of the first source in _quarto.yml"
	@echo "  DEMO=1             use the synthetic study instead of the data"
	@echo "  SITE_URL=https://…  address at which the site is published"
	@echo "  SITE=https://…      the published site, for make history"
	@echo "  OUT=folder         write the site there instead of _site; OUT=name.zip packs it into one file"
	@echo "  UPGRADE=1          let make lock take newer versions of what is not pinned by name"
	@echo "  PYTHON=python3.12  make the environment with this Python (3.11 or newer)"

site: $(VENV)/.site ## Analyse the data and render the site into _site/.
	@$(with_data) $(with_out) $(RUN) -m analysis build --out "$$OUT" $${DATA:+--data "$$DATA"} $(if $(DEMO),--demo)
	@$(with_out) $(RUN) -m analysis render --out "$$OUT" $${SITE_URL:+--site-url "$$SITE_URL"}

serve: $(VENV)/.site ## Make the site, serve it on this machine, make it anew on every change.
	@$(with_data) $(RUN) -m analysis preview --port "$(PORT)" $${DATA:+--data "$$DATA"}

check: $(VENV)/.site ## Hold the rendered site against the gate.
	@$(with_out) $(RUN) -m analysis check --site "$$OUT"

data: $(VENV)/.site ## Fetch the public data file of the default study.
	@$(PIP) install --quiet $(KAGGLEHUB) >$(VENV)/install.log 2>&1 || true
	@$(RUN) -m analysis data

quarto: $(VENV)/.site ## Install the pinned Quarto into the environment.
	@echo "Installing $$(grep '^quarto-cli' requirements-quarto.txt) ..."
	@{ $(PIP) install --quiet -r requirements-quarto.txt && quarto --version; } >$(VENV)/install.log 2>&1 || { \
	  $(PIP) uninstall --quiet --yes quarto-cli >/dev/null 2>&1; \
	  echo "Quarto could not be downloaded; $(VENV)/install.log says why." >&2; \
	  echo "  Install it from https://quarto.org/docs/get-started/ and run: make site" >&2; \
	  echo "  Until then the embedded renderer makes the same site." >&2; exit 2; }
	@echo "Quarto $$(quarto --version) is in place; make site renders with it."

history: $(VENV)/.site ## Fetch what earlier runs left on a published site: make history SITE=https://…
	@$(RUN) -m analysis history --from "$$SITE"

briefs: $(VENV)/.site ## Install what briefs to print are made with; the next make site makes them.
	@$(PIP) install --quiet -r requirements-briefs.txt

test: $(VENV)/.test lint ## Lint, check types and run all tests.
	@$(RUN) -m pytest -n auto --maxprocesses 4 --dist loadfile

check-fast: $(VENV)/.test ## Lint, check types and run the unit tests, in a minute: no browser, no whole builds.
	@$(MAKE) --no-print-directory -j 2 --output-sync=target lint unit

unit: $(VENV)/.test ## Run the unit tests: all that build no study and need no browser.
	@$(RUN) -m pytest -m "$(FAST)" -n auto --maxprocesses 4 --dist loadfile

coverage: $(VENV)/.test ## Run the unit tests and say which lines they do not reach.
	@$(RUN) -m pytest -m "$(FAST)" -n auto --maxprocesses 4 --dist loadfile --cov

lint: $(VENV)/.test ## Lint, check types and hold imports to their order.
	@$(RUN) -m ruff check
	@$(RUN) -m basedpyright --level error
	@$(VENV)/bin/lint-imports --no-cache --no-logo

trials: $(VENV)/.test ## Run what takes long: journeys in each engine with kills, and the audit of five studies.
	@$(RUN) -m pytest -m trials -n auto --maxprocesses 2 --dist loadfile
	@$(RUN) -m tests.audit

bench: $(VENV)/.site ## Time a build, what others use, ten million transactions, placing and describing a million customers.
	@$(RUN) -m tests.benchmarks.bench_build
	@$(RUN) -m tests.benchmarks.bench_rivals
	@$(RUN) -m tests.benchmarks.bench_transactions
	@$(RUN) -m tests.benchmarks.bench_score
	@$(RUN) -m tests.benchmarks.bench_profiles

validate: $(VENV)/.site ## Try all on customers whose groups are known: half an hour on two cores.
	@$(RUN) -m tests.validation

# Versions that the requirements leave open stay as they are locked; UPGRADE=1 takes the newest.
lock: $(VENV)/.test ## Write the lock files anew from the pinned requirements: every package with its hashes.
	@$(call lock,requirements-dev)
	@$(call lock,requirements,--constraint requirements-dev.lock)

define lock
$(RUN) -m uv --quiet pip compile $(1).txt --output-file $(1).lock $(2) $(if $(UPGRADE),--upgrade) \
  --generate-hashes --universal --python-version 3.11 --no-annotate --custom-compile-command 'make lock'
endef

# What is generated stands in .gitignore once; data/, site/notes/ and site/history/ stay.
clean: ## Remove the site, the caches and the generated pages; keep data and environment.
	@rm -rf build .quarto .smalldocs .pytest_cache .ruff_cache .hypothesis
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
  echo "$(1) could not be installed. The last words of pip:" >&2; \
  grep -v '^$$' $(VENV)/install.log | tail -n 3 | sed 's/^/  /' >&2; \
  echo "  All of them are in $(VENV)/install.log. Needed is a way to a Python package index." >&2; exit 2; }
endef

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) is not there. Install Python 3.11 or newer, or name one: make site PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "  Name another: make site PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { rm -rf $(VENV); \
	  echo "$(PYTHON) cannot make an environment: its venv module is not complete." >&2; \
	  echo "  On Debian and Ubuntu: apt install python3-venv" >&2; exit 2; }
