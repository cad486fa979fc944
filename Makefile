# Everything is done by paas/host, on Debian's own Python; settings are environment variables or make NAME=value.
HOST := python3 -m paas.host
TEST_STATE := $(CURDIR)/var/test
# Tests have an install of their own and take nothing from the operator's settings.
TEST_ENV := env -u PYTHONDONTWRITEBYTECODE -u DATABASE_URL -u DATABASE_OWNER_URL -u REDIS_URL -u PAAS_PORT -u PAAS_DOMAIN -u PAAS_APPS_DOMAIN \
	-u PAAS_TLS -u PAAS_TLS_PORT -u PAAS_SUBNET -u PAAS_ADMIN_EMAIL -u PAAS_ADMIN_PASSWORD PAAS_STATE=$(TEST_STATE)
BIN := var/venv/bin
# What needs neither the engine nor the router runs on all cores at once, each with a database of its own.
BESIDE := --numprocesses auto --dist worksteal

.PHONY: run stop clean doctor test check lint bench prepare

run:  ## start the platform, and stay with its log
	@$(HOST) run

stop:  ## stop everything, apps included
	@$(HOST) stop

clean:  ## remove everything that was ever made here (YES=1 does not ask)
	@$(HOST) clean

doctor:  ## check the install, and say how to mend what is found
	@$(HOST) doctor

prepare:  ## bring up what the tests need
	@$(TEST_ENV) $(HOST) prepare

lint: prepare  ## linters, types, import rules, migrations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy paas accounts tenants services apps
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/djlint --lint --quiet templates
	@$(TEST_ENV) $(BIN)/python manage.py makemigrations --check --dry-run

test: lint  ## everything: engine, browser and faults included
	@$(TEST_ENV) $(BIN)/python -m pytest $(BESIDE) -m "not slow or browser"; beside=$$?; \
	$(TEST_ENV) $(BIN)/python -m pytest -m "slow and not browser" && exit $$beside

check: lint  ## the quick part, for the inner loop
	@$(TEST_ENV) $(BIN)/python -m pytest $(BESIDE) -m "not slow"

bench: prepare  ## the figures, each against its reference in the same run
	@$(TEST_ENV) $(BIN)/python -m tests.bench
