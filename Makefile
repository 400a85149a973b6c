# Everyday commands; `make help` lists them.

SWIFT ?= swift
PREFIX ?= /usr/local
# One file to ship, and half the start-up time; empty it for a toolchain without static libraries.
LINKING ?= --static-swift-stdlib

gatehouse := .build/release/gatehouse

.DEFAULT_GOAL := build
.NOTPARALLEL:
