#!/usr/bin/env python3
"""SECONDS=60 SEED=… CLIENTS=100 make soak: many sessions, many faults, every byte compared."""

import os
import secrets
import sys

# Threads of this process start others; nothing of gRPC is used after a fork.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from soak.report import failure
from soak.run import Soak

from harness.gateway import binary


def main():
    seed = int(os.environ.get("SEED") or secrets.randbits(32))
    seconds = float(os.environ.get("SECONDS") or 60)
    clients = int(os.environ.get("CLIENTS") or 100)
    print(f"SEED={seed} SECONDS={seconds:g} CLIENTS={clients} make soak", flush=True)
    if not binary().exists():
        sys.exit(f"{binary()} does not exist: build it, or set GATEHOUSE_BIN")
    soak = Soak(seed, seconds, clients, lambda line: print(line, flush=True))
    is_well = soak.run()
    print("\n".join(soak.summary()))
    if is_well and soak.memory_grew > 0:
        print(f"the gateway's memory grew by {soak.memory_grew} bytes more than it may")
        is_well = False
    if not is_well:
        print(failure(soak))
    print("all is well" if is_well else "BROKEN")
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
