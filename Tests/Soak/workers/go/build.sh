#!/bin/sh
# Builds the soak's worker beside the example workers, whose common parts it uses.
set -eu
cd "$(dirname "$0")/../../../.."

examples/go/build.sh
build=$PWD/examples/go/build
ln -sfn "$PWD/Tests/Soak/workers/go" "$build/gopath/src/gatehouse/soak_worker"
export GO111MODULE=off GOFLAGS= GOPATH="$build/gopath:/usr/share/gocode"
go build -o "$build/soak_worker" gatehouse/soak_worker
