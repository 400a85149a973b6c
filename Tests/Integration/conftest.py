"""Fixtures: everything a test starts is stopped when it ends, by its own pid or object."""

import itertools
import os
import subprocess
import sys

import pytest

# Threads of grpcio run here while children are started; nothing of gRPC is used after a fork.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from harness import EXAMPLES
from harness.client import Client
from harness.gateway import Gateway, beside_the_door, binary, configuration
from harness.process import ExampleWorker
from harness.workers import Worker


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        item.failed = report.failed
    return report


@pytest.fixture
def crosses_shards():
    """Whether gateways have two shards, with all workers on the one that is not the door.

    Modules override it to run tests of others again.
    """
    return os.environ.get("GATEHOUSE_CROSSES_SHARDS") == "1"


@pytest.fixture
def start_gateway(tmp_path, request, crosses_shards):
    """start_gateway(workers=[…], listener={…}, pool={…}, …) -> Gateway that is ready.

    It waits for all workers, or for `ready` of them; `config` is a whole configuration instead of
    its parts.
    """
    if not binary().exists():
        pytest.fail(f"{binary()} does not exist: build it, or set GATEHOUSE_BIN")
    gateways = []

    def start(ready=True, descriptors_max=None, config=None, **parts):
        directory = tmp_path / f"gateway{len(gateways)}"
        directory.mkdir()
        config = config or configuration(**parts)
        if crosses_shards:
            config = beside_the_door(config)
        gateway = Gateway(directory, config, ready, descriptors_max)
        gateways.append(gateway)
        return gateway

    yield start
    for gateway in gateways:
        crashed = gateway.process.crashed()
        gateway.kill()
        if crashed or getattr(request.node, "failed", False):
            print(f"--- {gateway.directory.name}\n{gateway.process.output()[-8000:]}")
        assert not crashed, f"the gateway ended by itself: {gateway.process.wait()}"


@pytest.fixture
def start_worker():
    """start_worker(on_packet=…, features=…, …) -> a Worker; `kind` names another class."""
    workers = []

    def start(*arguments, kind=Worker, **options):
        worker = kind(*arguments, **options)
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.stop()


@pytest.fixture
def start_example(tmp_path):
    """start_example("python", "echo") -> ExampleWorker; also "go" and "chat"."""
    started = []
    numbers = itertools.count()

    def start(language="python", kind="echo", port=0, arguments=()):
        log = tmp_path / f"{language}-{kind}-{next(numbers)}.log"
        worker = ExampleWorker([*example_command(language, kind), *arguments], log, port)
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.kill()


@pytest.fixture
def connect():
    """connect(gateway) -> Client; closed at the end."""
    clients = []

    def connect(target, listener=0, **options):
        port = target if isinstance(target, int) else target.ports[listener]
        client = Client(port, **options)
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()


built = set()


def example_command(language, kind):
    if language == "python":
        return [sys.executable, EXAMPLES / "python" / f"{kind}_worker.py"]
    if not built:
        # Go's own cache makes this quick when nothing has changed.
        done = subprocess.run([EXAMPLES / "go" / "build.sh"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        built.add(language)
    return [EXAMPLES / "go" / "build" / f"{kind}_worker"]
