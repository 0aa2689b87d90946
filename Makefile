# What a person does with ibanse, by name; `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help run test test-deploy test-long look release bench check check-types check-rest format translations lock clean

IBANSE_VENV ?= .venv
export IBANSE_VENV RELEASE_KEY
BIN := $(IBANSE_VENV)/bin
PYTHON := $(BIN)/python
TYPED := manage.py ibanse accounts apikeys privacy validation tests deploy/start.py deploy/release.py deploy/gunicorn.conf.py deploy/backup

# The settings that production requires, with values that reach nothing: the checks open no connection.
PRODUCTION := IBANSE_MODE=production \
	IBANSE_HOSTS=ibanse.example \
	IBANSE_SECRET_KEY=only-for-the-checks-0123456789-abcdefghijklmnopqrstuvwxyz \
	IBANSE_SIGNING_KEYS=1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE= \
	IBANSE_PEPPERS=1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE= \
	IBANSE_MASTER_KEYS=1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE= \
	IBANSE_LOG_KEY=1:x25519:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE= \
	DATABASE_URL=postgres://ibanse@localhost/ibanse \
	KEYRING_DATABASE_URL=sqlite:////var/lib/ibanse/keyring.sqlite3 \
	REDIS_URL=unix:///run/valkey/valkey.sock \
	EMAIL_URL=smtp+tls://localhost \
	IBANSE_MAIL_FROM=ibanse@ibanse.example \
	IBANSE_SECURITY_CONTACT=security@ibanse.example

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Start ibanse at http://localhost:8000 (another port: PORT=8123 make run)
	@deploy/bootstrap run
	@exec $(PYTHON) -m deploy.start

test: ## Run every test, on SQLite, PostgreSQL and in a browser (a selection: make test ARGS="-k iban")
	@deploy/bootstrap dev
	@exec $(PYTHON) -m tests $(ARGS)

test-deploy: ## Test what production is made of, for real: nginx, gunicorn behind it, services, backups
	@deploy/bootstrap dev
	@exec $(PYTHON) -m tests deploy $(ARGS)

test-long: ## Test what need not run at each change: repetitions at scale, an older Debian, Debians made afresh
	@deploy/bootstrap dev
	@exec $(PYTHON) -m tests long $(ARGS)

look: ## Look at every page in each size, scheme and language; contact sheets in .cache/look (or LOOK_SHEETS=folder)
	@deploy/bootstrap dev
	@exec $(PYTHON) -m tests look $(ARGS)

release: ## Run every check and test and build a signed archive in dist/ (make release RELEASE_KEY=~/.ssh/release)
	@deploy/bootstrap dev
	@exec $(PYTHON) -m deploy.release

bench: ## Measure speed (options: make bench ARGS="...")
	@deploy/bootstrap dev
	@$(PYTHON) -m ibanse.catalogues
	@exec $(PYTHON) -m tests.benchmarks $(ARGS)

check: ## Check format, rules, types, migrations, production settings, templates and translations
	@deploy/bootstrap dev
	@echo "Format" && $(BIN)/ruff format --check --quiet .
	@echo "Rules" && $(BIN)/ruff check --quiet .
	@$(MAKE) --no-print-directory --jobs=2 --output-sync check-types check-rest

# The types take as long as all the rest, on one core.
check-types:
	@echo "Types" && $(BIN)/mypy --no-error-summary $(TYPED)

check-rest:
	@echo "Migrations" && $(PYTHON) manage.py makemigrations --check --dry-run -v0
	@echo "Production settings" && env $(PRODUCTION) $(PYTHON) manage.py check --deploy --fail-level WARNING
	@echo "Templates" && $(BIN)/djlint --lint --quiet templates
	@echo "Translations" && $(PYTHON) -m pytest -q tests/ibanse/test_translations.py

format: ## Put the code into its one format and mend what can be mended
	@deploy/bootstrap dev
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

translations: ## Collect the texts to translate (sv, de) and compile the translations
	@deploy/bootstrap dev
	@$(PYTHON) manage.py makemessages -l sv -l de --no-location --no-obsolete --ignore 'tests/*'
	@$(PYTHON) -m ibanse.catalogues

lock: ## Renew the hash-locked requirements from pyproject.toml
	@deploy/bootstrap dev
	@$(LOCK) --output-file deploy/requirements/run.txt pyproject.toml
	@$(LOCK) --output-file deploy/requirements/dev.txt --extra dev -c deploy/requirements/run.txt pyproject.toml
	@echo sslyze | $(LOCK) --output-file deploy/requirements/sslyze.txt -
	@! grep -nE '://|file:|index-url|find-links' deploy/requirements/*.txt

# Names, versions and hashes only, for every Python and system at once: a mirror may serve them as well.
LOCK = $(BIN)/uv pip compile --no-config --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate

clean: ## Remove what can be made again; your data in .data stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
