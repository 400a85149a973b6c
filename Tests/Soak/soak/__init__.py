"""The gateway under a seeded load and seeded faults, over real sockets, every byte compared."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parents[1]
# The harness of the integration tests.
sys.path.insert(0, str(HERE.parent / "Integration"))
