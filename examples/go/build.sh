#!/bin/sh
# Builds the example workers into build/ with Debian's own Go packages, without the network.
set -eu
cd "$(dirname "$0")"

packages=/usr/share/gocode
if ! command -v go >/dev/null || ! command -v protoc >/dev/null ||
  ! command -v protoc-gen-go >/dev/null || ! [ -d "$packages/src/google.golang.org/grpc" ]; then
  echo "build.sh: needs golang-go, golang-google-grpc-dev, golang-goprotobuf-dev, protobuf-compiler" >&2
  exit 1
fi

# GOPATH mode wants every package below a src folder: the generated one is made there, and ours is
# linked from there.
module=build/gopath/src/gatehouse
mkdir -p "$module/upstreampb"
ln -sfn "$PWD/worker" "$module/worker"
empty=Mgoogle/protobuf/empty.proto=github.com/golang/protobuf/ptypes/empty
protoc -I../../proto --go_out="plugins=grpc,paths=source_relative,$empty:$module/upstreampb" \
  upstream.proto

export GO111MODULE=off GOFLAGS= GOPATH="$PWD/build/gopath:$packages"
go build -o build/echo_worker ./echo_worker
go build -o build/chat_worker ./chat_worker
