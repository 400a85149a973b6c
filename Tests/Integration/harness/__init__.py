"""Gateways, workers and clients for the integration tests; real processes and real sockets."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
