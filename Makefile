# make decide   decide one example, nothing but Python and make needed
# make test     prove everything, containers included
# make policy   format, check and test the Rego alone; needs OPA alone, takes seconds
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OPA := .tools/bin/opa
EXAMPLE ?= examples/01-relapsed.yaml
WASM := pyclient/src/payer_policy/policy.wasm
ENTRYPOINTS := payer/decision payer/decisions payer/catalogue
REGO := policy policy_tests tools

.PHONY: decide test policy opa fmt fmt-check check rego-test schemas schemas-check wasm wasm-check lint unit integration bench clean

decide: $(VENV)/.decide
	$(BIN)/payer-policy decide $(EXAMPLE)

test: policy wasm-check lint unit integration

policy: fmt-check check schemas-check rego-test

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python 3.10 or newer is needed; name one with PYTHON=" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.decide: pyclient/pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install -q --disable-pip-version-check -e 'pyclient[embedded,cli]'
	@touch $@

$(VENV)/.test: pyclient/pyproject.toml tests/requirements.txt | $(VENV)/.decide
	$(BIN)/pip install -q --disable-pip-version-check -r tests/requirements.txt
	@touch $@

opa:
	@tools/setup opa

fmt: opa
	$(OPA) fmt -w $(REGO)

fmt-check: opa
	@test -z "$$($(OPA) fmt -l $(REGO))" || { $(OPA) fmt -d $(REGO); echo "make fmt mends this" >&2; exit 1; }

# Without the clock, the network and randomness: what passes here can be replayed.
build/capabilities.json: tools/capabilities.rego tools/go.mod | opa
	@mkdir -p build
	@$(OPA) capabilities --current | $(OPA) eval --fail -I -d tools/capabilities.rego -f raw data.tools.capabilities.pure >$@.new
	@mv $@.new $@

check: build/capabilities.json
	$(OPA) check --strict --capabilities build/capabilities.json --schema schemas policy
	$(OPA) check --strict policy policy_tests tools/*.rego

rego-test: build/capabilities.json
	$(OPA) test --capabilities build/capabilities.json --timeout 60s policy policy_tests
	@$(OPA) test --capabilities build/capabilities.json --timeout 60s --coverage policy policy_tests >build/coverage.json
	@$(OPA) eval -i build/coverage.json -d tools/coverage.rego -f raw data.tools.coverage.report && echo
	@$(OPA) eval --fail -i build/coverage.json -d tools/coverage.rego -f discard data.tools.coverage.complete \
		|| { echo "policy/ is not covered whole" >&2; exit 1; }

schemas: opa
	@mkdir -p build/schemas && rm -f build/schemas/*
	@for file in $$($(OPA) eval --fail -d policy -d tools/schema.rego -f raw 'concat(" ", object.keys(data.tools.schema.files))'); do \
		$(OPA) eval --fail -d policy -d tools/schema.rego -f raw "data.tools.schema.files[\"$$file\"]" >build/schemas/$$file; done
	@mkdir -p schemas && cp build/schemas/* schemas/

schemas-check: opa
	@cp -R schemas build/schemas.before 2>/dev/null || true

clean:
	rm -rf build $(VENV)
