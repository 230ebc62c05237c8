# The commands of this book; `make` alone lists them.  They need Python 3.11 or newer and make:
# everything else is installed into .venv.

PYTHON ?= python3
PORT ?= 8000

VENV := .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
BENCH := .venv-bench
SITE := _build/html

# The build starts kernels by name.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONUNBUFFERED := 1
# Small systems of equations are solved fastest by one thread.
export OPENBLAS_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: help book serve lab test bench lint clean

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

book: $(INSTALLED) ## build the book into _build/html
	$(PY) -m qlearn_book.site.assets
	$(PY) -m qlearn_book.precompute
	$(VENV)/bin/jupyter-book build . -W --keep-going
	@echo "The book is ready: $(CURDIR)/$(SITE)/index.html"

serve: $(SITE)/index.html ## show the book at http://localhost:8000 (another: PORT=8001)
	@(sleep 1; $(PY) -m webbrowser http://localhost:$(PORT)) &
	@$(PY) -m http.server $(PORT) --bind 127.0.0.1 --directory $(SITE)

lab: $(INSTALLED) ## open the chapters in JupyterLab
	$(PY) -m jupyter lab book

test: book ## build the book and run every test
	$(PY) -m tests.browser.chromium --install
	$(PY) -m pytest -n 2 --dist worksteal --ignore=tests/browser/test_jupyterlab.py
	$(PY) -m pytest tests/browser/test_jupyterlab.py
	QLEARN_BOOK_MODE=static $(PY) -m pytest -n 2 --dist loadfile --nbval-lax book

bench: $(BENCH)/.installed ## measure speed, all or GROUPS="planning network"
	$(BENCH)/bin/python -m benchmarks $(GROUPS)
	$(BENCH)/bin/python -m benchmarks.report

lint: $(INSTALLED) ## check the code with ruff
	$(PY) -m ruff check .

clean: ## delete everything that was built (.venv and .venv-bench stay)
	rm -rf _build .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -not -path './$(BENCH)/*' -prune -exec rm -rf {} +

$(INSTALLED): requirements.txt constraints.txt pyproject.toml
	@$(PY) -m pip --version >/dev/null 2>&1 \
	|| $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	|| { echo "This book needs Python 3.11 or newer, but '$(PYTHON)' is" \
	"$$($(PYTHON) --version 2>/dev/null || echo not there);" \
	"name one, for example: make PYTHON=python3.11"; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --disable-pip-version-check -r requirements.txt
	@touch $@

# The peers of the benchmarks stay out of the book's environment.
$(BENCH)/.installed: $(INSTALLED) benchmarks/requirements.txt
	$(PY) -m venv $(BENCH)
	$(BENCH)/bin/pip install --disable-pip-version-check \
	-r requirements.txt -r benchmarks/requirements.txt
	@touch $@

$(SITE)/index.html:
	$(MAKE) book
