# Builds, tests and checks the project. Needs Go, git and make; `test` and `check` skip what needs
# more. `make help` is made from the comments behind ##.

# What the checks run, beside what go.mod pins. `go run` fetches, builds and caches it.
GOLANGCI_LINT = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# How long each ratio is measured, and how often.
BENCHTIME = 300ms
BENCHCOUNT = 5

# How many scenarios `make soak` runs over each transport.
STORIES = 100000

# This module and those nested in it.
MODULES = . $(patsubst %/go.mod,%,$(wildcard e2e/go.mod examples/*/go.mod))

# $(call each-module,COMMAND) runs COMMAND in every module and stops at the first failure.
each-module = @set -e; for module in $(MODULES); do (cd $$module && $(1)); done

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' Makefile

##@ Every day

.PHONY: demo
demo: ## A lost response, and a batch on a bad day, on the mock: no account, no network
	@echo "demo: building the command, which takes a minute the first time"
	@go build -o bin/unsend ./cmd/unsend
	@tools/demo.sh

.PHONY: generate
generate: ## Write gen/ and the embedded copy from openapi.yaml
	go generate ./...

.PHONY: build
build: ## Build the command as bin/unsend
	go build -o bin/unsend ./cmd/unsend

# How long the tests of a package may take: minutes at the most, and far longer on a busy machine.
TIMEOUT = 40m

# What the race detector would distort, or slow down too much.
UNRACED = 'Allocations|TestModules|Memory|Killed|Copies|Interrupted|Hostile(Bodies|Snapshots)'

.PHONY: test
test: ## Run every test, with the race detector if it works here
	@echo "test: 1 of 4: what is quick"
	@go test ./gen ./internal/ids ./internal/ratelimit
	@echo "test: 2 of 4: this module; compiling takes minutes the first time"
	@race=$$(tools/race.sh); echo "go test $$race ./..."; go test -timeout $(TIMEOUT) $$race ./...
	@echo "test: 3 of 4: without the race detector, which would distort it: sizes, allocations, crashes"
	@$(MAKE) --no-print-directory regressions
	@echo "test: 4 of 4: the modules of the end-to-end tests and the examples"
	@set -e; race=$$(tools/race.sh); for module in $(filter-out .,$(MODULES)); do \
		echo "go test $$race ./... # in $$module"; (cd $$module && go test -timeout $(TIMEOUT) $$race ./...); done

.PHONY: regressions
regressions: ## Sizes, allocations, linked modules and crashes, without the race detector
	go test -timeout $(TIMEOUT) -run $(UNRACED) ./api ./internal/bench ./batch/...

.PHONY: soak
soak: ## STORIES random scenarios, processes killed, power cut, workers killed, at length (UNSEND_SEED repeats scenarios)
	cd e2e && UNSEND_SCENARIOS=$(STORIES) go test -count=1 -v -timeout 0 -run '^TestScenarios' ./wire
	UNSEND_TEST_FULL=1 go test -count=1 -v -timeout 60m -run 'Killed|PowerCuts' ./batch/sqlite
	UNSEND_TEST_SOAK=1 go test -count=1 -v -timeout 60m -run TestWorkers ./batch/postgres

.PHONY: check
check: format vet lint tidy generated spec-lint spec-diff spec-diff-test contract-docs cross release-test ## Run every check that CI runs beside the tests

##@ The parts of check

.PHONY: format
format: ## Every file as gofmt writes it
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || \
		{ echo "run gofmt -w on:" $$unformatted >&2; exit 1; }

.PHONY: vet
vet: ## go vet
	$(call each-module,go vet ./...)

.PHONY: lint
lint: ## golangci-lint, as .golangci.yml asks
	$(call each-module,go run $(GOLANGCI_LINT) run --allow-parallel-runners ./...)

.PHONY: tidy
tidy: ## go.mod and go.sum hold what is used and no more
	$(call each-module,go mod tidy -diff)

.PHONY: generated
generated: ## gen/ is what openapi.yaml generates, byte for byte
	go test -run '^TestGenerated' ./gen

.PHONY: cross
cross: ## Every package and test compiles for Windows and macOS
	@set -e; for os in windows darwin; do echo "GOOS=$$os go vet ./..."; CGO_ENABLED=0 GOOS=$$os go vet ./...; done

.PHONY: release-test
release-test: ## Two builds of a release are the same, byte for byte
	tools/release.test.sh

##@ JavaScript

.PHONY: browser
browser: ## The API reference of `unsend mock`, its control, and the page of a report, in a Chromium on PATH
	cd e2e && go test -tags browser -count 1 .

.PHONY: node
node: ## The suite of examples/node against `unsend mock`, with a Node on PATH (20 or later)
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; go build -o "$$dir/unsend" ./cmd/unsend; \
	UNSEND="$$dir/unsend" node --test examples/node/*.test.mjs

##@ The contract

.PHONY: spec-lint
spec-lint: ## Lint openapi.yaml with Redocly, if there is Node
	tools/with-node.sh lint

.PHONY: spec-diff
spec-diff: ## What openapi.yaml changes for clients since BASE=<git ref>, or the last release
	tools/spec-diff.sh "$(BASE)"

.PHONY: contract-docs
contract-docs: ## Each section of docs/client/changing-the-contract.md works, followed alone in a copy
	env -u MAKELEVEL -u MAKEFLAGS go run ./tools/follow docs/client/changing-the-contract.md

.PHONY: clients
clients: ## Clients that other generators make of openapi.yaml call the mock (Node, Java; by hand)
	tools/clients.sh

.PHONY: spec-diff-test
spec-diff-test: ## Prove that spec-diff refuses what breaks callers
	tools/spec-diff.test.sh

##@ Figures

.PHONY: bench
bench: ## Measure what a call, a batch and a program cost, and write the figures into the pages
	BENCHTIME=$(BENCHTIME) BENCHCOUNT=$(BENCHCOUNT) tools/bench.sh

.PHONY: cover
cover: ## How much of the hand-written code the tests run
	tools/cover.sh

##@ Pages

.PHONY: readme
readme: ## Follow README.md to the letter, in an empty folder, and its edit in a copy
	SKIP='make test' tools/readme.sh
	env -u MAKELEVEL -u MAKEFLAGS go run ./tools/follow README.md 'When the spec changes'

.PHONY: pictures
pictures: ## Draw docs/pictures from real runs (tmux and Chromium)
	tools/pictures.sh

##@ Releases

.PHONY: release
release: ## Trimmed, stamped binaries for every platform, with checksums, in dist/
	tools/release.sh
