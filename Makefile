# Everyday commands; `make help` lists them.

SWIFT ?= swift
PREFIX ?= /usr/local
# One file to ship, half as large, and half the start-up time; empty it for a toolchain without
# static libraries.
LINKING ?= --static-swift-stdlib -Xlinker --strip-debug

gatehouse := .build/release/gatehouse

.DEFAULT_GOAL := build
.NOTPARALLEL:
.PHONY: build demo sim soak test swift-test integration-test fuzz bench lint check setup
.PHONY: setup-build install clean help

build: ## build the gateway: .build/release/gatehouse (the default)
	@$(SWIFT) build --configuration release --product gatehouse $(LINKING)

demo: setup-build build ## set up, build, and run a gateway with a sample worker; Ctrl-C ends it
	@exec $(gatehouse) demo

sim: setup-build build ## run simulated worlds from fresh seeds, until one fails or Ctrl-C
	@exec $(gatehouse) sim --seeds 0

test: setup lint build swift-test integration-test ## set up, lint, build, and run every test

# The build shows how far it is, the tests only what fails.
swift-test:
	@$(SWIFT) build --build-tests
	@$(SWIFT) test --skip-build --disable-xctest --quiet

# Real sockets, real workers, and the release binary.
integration-test:
	@scripts/python-env
	@.venv/bin/python -m pytest --quiet Tests/Integration

soak: setup build ## run many clients and faults, each byte compared; SECONDS=60 SEED=… CLIENTS=100
	@scripts/python-env
	@SECONDS=$(or $(SECONDS),60) .venv/bin/python Tests/Soak/run.py

# Two minutes to build; what it found is tried with the Swift tests.
fuzz: setup-build ## search for inputs that break a parser, for SECONDS=30 each; FUZZERS="login json"
	@SECONDS_EACH=$(or $(SECONDS),30) Fuzz/run $(FUZZERS)

bench: build ## measure framers, bans, logins, memory and scale, on an idle machine, in 20 minutes
	@$(SWIFT) run --configuration release --package-path benchmarks/framers framers
	@$(SWIFT) run --configuration release --package-path benchmarks/access/lookup lookup
	@benchmarks/access/run.py --gatehouse $(gatehouse)
	@benchmarks/scale/run.py --gatehouse $(gatehouse)

lint: ## check the format of all Swift files
	@$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests Fuzz

check: ## before a commit: lint and the Swift tests
	@scripts/check

setup: ## install what building and testing need, where it is missing (Debian packages)
	@scripts/setup test

setup-build:
	@scripts/setup build

# The program finds its framers at ../share/gatehouse/framers; the header is for plugins.
install: | $(gatehouse) ## copy all that runs to PREFIX (PREFIX is /usr/local, DESTDIR is kept)
	install -D -m 0755 $(gatehouse) $(DESTDIR)$(PREFIX)/bin/gatehouse
	install -d $(DESTDIR)$(PREFIX)/share/gatehouse/framers
	install -m 0644 framers/*.toml $(DESTDIR)$(PREFIX)/share/gatehouse/framers
	install -D -m 0644 include/gatehouse_framer.h $(DESTDIR)$(PREFIX)/include/gatehouse_framer.h

# Only when it is not there: `sudo make install` after `make` needs no toolchain.
$(gatehouse):
	@$(MAKE) --no-print-directory build

clean: ## remove everything that was built
	rm -rf .build .venv .pytest_cache benchmarks/access/lookup/.build benchmarks/framers/.build \
	  examples/plugin/build

help: ## show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1|/p' $(MAKEFILE_LIST) | \
	  while IFS='|' read -r target text; do printf '  make %-9s %s\n' "$$target" "$$text"; done
