# make decide   decide one example, nothing but Python and make needed
# make test     prove everything, containers included
# make prove    combinations of facts, in OPA and in the second readings; DOCUMENT=NCD-240.4 for one document
# make compare  COUNT=1000000 request texts, ordinary and hostile, to OPA, WebAssembly, the client and from files: one decision
# make page     build/criteria.html, one file in which people try the criteria
# make mutate   prove the tests of the Rego: each change of a rule must make one fail; takes minutes
# make faults   break OPA in a dozen ways while callers run; 2 minutes
# make load     steady callers, MINUTES=10 CLIENTS=8: latency, errors, memory
# make attack   requests that must be refused, against OPA as compose and Kubernetes start it; make canary: nothing of a request is logged
# make policy   format, check and test the Rego alone; needs OPA alone, takes seconds
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OPA := .tools/bin/opa
EXAMPLE ?= examples/01-relapsed.yaml
WASM := pyclient/src/payer_policy/policy.wasm
ENTRYPOINTS := payer/decision payer/decisions payer/catalogue
REGO := policy policy_tests deploy tools

CHECKED := pyclient/src pyclient/tests tests bench tools examples

RUN := @$(BIN)/python -m
RUFF := --config pyclient/pyproject.toml $(CHECKED)
PYTEST := $(BIN)/pytest -q -c pyclient/pyproject.toml --rootdir .
WITH_OPA = @OPA_IMAGE=$$(tools/setup image) && export OPA_IMAGE &&

.PHONY: build/published build/policy.wasm lock spark study decide page test prove compare mutate attack canary faults load policy bench bundle wheel draft publish published-check golden opa fmt fmt-check check rego-test replay replay-previous schemas schemas-check facts facts-check docs docs-check wasm wasm-check lint unit integration clean

decide: $(VENV)/.decide
	$(BIN)/payer-policy decide $(EXAMPLE)

test: policy replay replay-previous docs-check facts-check wasm-check published-check lint unit integration

policy: fmt-check check schemas-check rego-test

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "Python 3.10 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.x" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A lock has every package that there is to install, so pip looks for no others; Python compiles what is imported.
PIP := $(BIN)/pip install -q --disable-pip-version-check --no-deps --no-compile
LOCKED := $(PIP) --require-hashes -r

$(VENV)/.decide: tools/requirements.txt pyclient/pyproject.toml | $(BIN)/python
	$(LOCKED) $<
	$(PIP) --no-build-isolation -e pyclient
	@touch $@

$(VENV)/.test: tests/requirements.txt $(VENV)/.decide
	$(LOCKED) $<
	@touch $@

$(VENV)/.spark: tests/spark.txt $(VENV)/.test
	$(LOCKED) $<
	@touch $@

# Every package with its version and digests, for each Python, and no address: what is in requirements.in, and what the
# client asks for. What is locked stays so; UPGRADE=1 moves all to the newest.
lock: $(VENV)/.test
	$(call locked,tools/requirements.txt,--extra embedded --extra cli tools/requirements.in)
	$(call locked,tests/requirements.txt,--extra embedded --extra cli --extra fhir -c tools/requirements.txt tests/requirements.in)
	$(call locked,tests/spark.txt,--extra spark -c tests/requirements.txt)
	$(call locked,bench/requirements.txt,-c tests/requirements.txt bench/requirements.in)

# LOCK, WHAT IT IS MADE OF
locked = $(BIN)/uv pip compile -q --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade) pyclient/pyproject.toml $(2) -o $(1)

opa:
	@tools/setup opa

fmt: opa $(VENV)/.test
	$(OPA) fmt -w $(REGO)
	$(BIN)/ruff format $(RUFF)

fmt-check: opa
	@test -z "$$($(OPA) fmt -l $(REGO))" || { $(OPA) fmt -d $(REGO); echo "make fmt mends this" >&2; exit 1; }

# Without the clock, the network and randomness: what passes here can be replayed.
build/capabilities.json: tools/capabilities.rego tools/go.mod | opa
	@mkdir -p build
	@$(OPA) capabilities --current | $(OPA) eval --fail -I -d tools/capabilities.rego -f raw data.tools.capabilities.pure >$@.new
	@mv $@.new $@

# What is wrong with a document first: of a version in two files, say, OPA names rules that are not at fault.
check: build/capabilities.json
	@tools/check policy policy_tests/fixtures
	$(OPA) check --strict --capabilities build/capabilities.json policy
	$(OPA) check --strict policy policy_tests
	$(OPA) check --strict deploy/opa deploy/tests
	$(OPA) check --strict policy tools/*.rego tools/documents

# What guards the service reads the environment of OPA, so it is tested by itself, with all that OPA can do.
rego-test: build/capabilities.json
	$(call tested,policy,$(POLICY_TESTS),--ignore 'vectors*')
	$(call tested,deploy/opa,deploy/opa deploy/tests)

POLICY_TESTS := --capabilities build/capabilities.json policy policy_tests
passes = $(OPA) test --timeout 5m $(1) >build/rego-test.txt || { grep -v ': PASS' build/rego-test.txt; exit 1; }

# FOLDER, WHAT TO TEST, WHAT COVERAGE DOES WITHOUT: it takes three times as long, and the vectors are many.
define tested
	@$(call passes,$(2))
	@tail -n 1 build/rego-test.txt
	@$(OPA) test --timeout 5m --coverage --format json $(3) $(2) >build/coverage.json
	@$(OPA) eval -i build/coverage.json -d tools/coverage.rego -f raw data.tools.coverage.report
	@$(OPA) eval --fail -i build/coverage.json -d tools/coverage.rego data.tools.coverage.complete >/dev/null \
		|| { echo "$(1)/ is not covered whole" >&2; exit 1; }
endef

# The same bytes however OPA finds its way through the rules, and from the OPA before: a bug of either shows here.
REPLAY = eval --fail -f raw -d policy -d vectors:policy_tests/vectors -d tools/replay.rego data.tools.replay.lines
same = cmp -s build/replay.txt $(1) \
	|| { diff build/replay.txt $(1) | grep '^[<>]' | cut -f 1; echo "$(2): compare build/replay.txt and $(1)" >&2; exit 1; }
build/replay.txt: opa
	@mkdir -p build
	@$(OPA) $(REPLAY) >$@

replay: build/replay.txt
	@$(OPA) $(REPLAY) --disable-indexing --disable-early-exit >build/replay-plain.txt
	@$(call same,build/replay-plain.txt,OPA decides otherwise without its indices)

replay-previous: build/replay.txt
	@tools/setup previous
	@.tools/bin/opa-previous $(REPLAY) >build/replay-previous.txt
	@$(call same,build/replay-previous.txt,the previous OPA decides otherwise)

SCHEMAS := $(OPA) eval --fail -d policy -d tools/schema.rego -f raw
build/schemas: opa
	@rm -rf $@ && mkdir -p $@
	@for file in $$($(SCHEMAS) 'concat(" ", sort(object.keys(data.tools.schema.files)))'); do \
		$(SCHEMAS) "data.tools.schema.files[\"$$file\"]" >$@/$$file || exit 1; done

schemas: build/schemas
	@rm -rf schemas && cp -R build/schemas schemas

schemas-check: build/schemas
	@diff -r build/schemas schemas || { echo "schemas/ is stale: make schemas" >&2; exit 1; }

# Pages are made; the picture of the architecture, and what is named in pages by hand, is checked: names of code by make test,
# since some are of Spark.
docs: opa $(VENV)/.test
	$(RUN) tools.docs
	@$(PYTEST) tests/test_docs.py -k 'picture or is_there and not of_code'

docs-check: opa $(VENV)/.test
	$(RUN) tools.docs --check

# What production decides with: no drafts.
build/published: opa $(VENV)/.decide
	@rm -rf $@ && $(BIN)/python -m tools.publish stage $@

# The client's modules are of what the policy that it ships decides.
facts: opa $(VENV)/.test build/published
	$(RUN) tools.facts build/published

facts-check: opa $(VENV)/.test build/published
	$(RUN) tools.facts build/published --check

# FOLDER, BUNDLE
compiled = $(OPA) build --capabilities build/capabilities.json -t wasm $(ENTRYPOINTS:%=-e %) -o $(2) $(1)

build/policy.wasm: opa build/capabilities.json build/published
	@$(call compiled,build/published,build/wasm.tar.gz)
	@tar -xzf build/wasm.tar.gz -C build /policy.wasm 2>/dev/null && chmod 644 $@

# With its drafts, for payer-policy --bundle.
draft: opa build/capabilities.json
	@$(call compiled,policy,build/draft.tar.gz)

wasm: build/policy.wasm
	cp build/policy.wasm $(WASM)

wasm-check: build/policy.wasm
	@cmp build/policy.wasm $(WASM) || { echo "$(WASM) is not built from policy/: make wasm" >&2; exit 1; }

page/node_modules/.package-lock.json: page/package-lock.json
	@tools/setup node
	@npm ci --prefix page --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# The policy in it is, byte for byte, that of the package.
page: page/node_modules/.package-lock.json
	@node page/build.mjs

lint: $(VENV)/.test
	$(BIN)/ruff format --check $(RUFF)
	$(BIN)/ruff check $(RUFF)
	$(BIN)/mypy --config-file pyclient/pyproject.toml $(CHECKED)

# Two files at a time: a test that waits for a server leaves its core to another.
unit: $(VENV)/.test
	$(BIN)/pytest -q -c pyclient/pyproject.toml -n 2 --dist loadfile --cov payer_policy --cov-config pyclient/pyproject.toml --cov-branch \
		--cov-fail-under 95 pyclient/tests

integration: $(VENV)/.spark opa build/capabilities.json page
	@tools/setup browser engine compose kustomize hapi lforms
	$(WITH_OPA) PROMETHEUS_IMAGE=$$(tools/setup prometheus) && export PROMETHEUS_IMAGE && \
		$(PYTEST) -n 2 --dist loadfile tests

# And what a draft lacks to be published.
published-check: opa $(VENV)/.test
	$(RUN) tools.publish check

# The decisions on what examples and vectors have come since a version was published; those that are locked stay.
golden: $(VENV)/.test wasm-check
	$(RUN) tools.publish golden

# Locked for good, so the vectors decide as they say, and OPA as the second reading does.
publish: $(VENV)/.test check
	@$(call passes,$(POLICY_TESTS))
	$(RUN) tools.publish publish
	@$(MAKE) --no-print-directory wasm schemas facts docs

# The same commit and key give the same bytes. Beside what is made lie its bill of materials and its provenance.
BUNDLE_KEY ?= build/development-key.pem
ATTESTED = $(RUN) tools.attest made $(BUNDLE_KEY)

bundle: opa build/capabilities.json build/published $(BUNDLE_KEY)
	@BUNDLE_KEY=$(BUNDLE_KEY) tools/bundle build/published build/payer-policy-bundle.tar.gz
	$(ATTESTED) build/payer-policy-bundle.tar.gz

# What was compiled before the policy was last edited is not shipped.
wheel: $(VENV)/.decide $(BUNDLE_KEY) wasm-check
	@rm -rf build/dist && cd pyclient && ../$(BIN)/python -m hatchling build -d ../build/dist >/dev/null 2>&1
	$(ATTESTED) build/dist/*

# Without BUNDLE_KEY: a key for development.
build/development-key.pem:
	@mkdir -p build && umask 077 && openssl genrsa -out $@.new 2048 2>/dev/null
	@openssl rsa -in $@.new -pubout -out $(@:.pem=.pub.pem) 2>/dev/null && mv $@.new $@

# Exit status 1 on any difference. A sample of it is part of make test.
prove: $(VENV)/.test opa
	$(RUN) tests.oracle.prove $(DOCUMENT)

# Exit status 1 on any difference. A sample of it is part of make test.
COUNT ?= 1000000
compare: $(VENV)/.test opa
	$(RUN) tests.oracle.compare --count $(COUNT)

# Changes the policy in one place at a time and expects a test to notice; minutes, so it is no part of make test. Of some
# files alone: make mutate ONLY='policy/cc0126*'.
ONLY ?= *
mutate: opa $(VENV)/.decide
	$(RUN) tools.mutate policy policy_tests --only '$(ONLY)'

# What breaks in production, broken here, and how long recovery took: real containers with callers running, 2 minutes.
faults: $(VENV)/.test opa build/capabilities.json
	@tools/setup engine
	$(WITH_OPA) $(PYTEST) -s tests/test_faults.py

# On a cluster of Spark on this machine, with Java 17: every row of 200,000, and of 2,000,000 of 1,000 requests. Of some
# hundred it is part of make test.
SPARK_ROWS ?= 200000
spark: $(VENV)/.spark
	@SPARK_ROWS=$(SPARK_ROWS) $(PYTEST) --durations 0 tests/test_spark.py

# The ten lines of docs/scale.md on claims that are made up, each line with its seconds; the page in build/study/.
ROWS ?= 2000000
DISTINCT ?= 20000
study: $(VENV)/.spark
	$(RUN) tests.stage.study $(ROWS) $(DISTINCT)

# Steady callers against one OPA: latency, errors, memory.
MINUTES ?= 10
CLIENTS ?= 8
load: $(VENV)/.test opa
	@tools/setup engine
	$(WITH_OPA) $(BIN)/python -m tests.stage.load $(MINUTES) $(CLIENTS)

# Each prints a table, with OPA as docker-compose.yml has it for production, and attack also as deploy/kubernetes has it.
# Part of make test.
attack canary: $(VENV)/.test opa build/capabilities.json
	@tools/setup engine compose kustomize
	$(WITH_OPA) $(BIN)/python -m tests.stage.$(@:attack=attacks)

bench: opa $(VENV)/.spark page
	@tools/setup browser cql
	@$(LOCKED) bench/requirements.txt
	$(RUN) bench

clean:
	rm -rf build $(VENV)
