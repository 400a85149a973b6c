"""Gateways of several shards, with workers on all of them."""

import pytest

from harness.gateway import configuration
from harness.workers import echo

WORKERS = 3


@pytest.fixture
def shards(request):
    """Three, so that each has a worker, unless the test is one of `both`."""
    return getattr(request, "param", 3)


# With two, the door has two workers, and a worker that is lost leaves its shard with one or none.
both = pytest.mark.parametrize("shards", [2, 3], indirect=True)


@pytest.fixture
def spread(start_gateway, start_worker, shards):
    """spread(on_packet=…, …) -> a gateway whose three workers are on all shards, and the workers.

    What is not for the workers is for the configuration.
    """
    def start(on_packet=echo, features=(), descriptors_max=None, **parts):
        workers = [start_worker(on_packet, features) for _ in range(WORKERS)]
        config = configuration(workers=workers, shards=shards, **parts)
        return start_gateway(config=config, descriptors_max=descriptors_max), workers
    return start


def entered(gateway, connect, count=6, **options):
    """Clients that have been answered once; they are dealt to all workers."""
    clients = [connect(gateway, **options) for _ in range(count)]
    for client in clients:
        client.echo(b"hello")
    return clients


def shard_of(worker_id, shards):
    """The shard that a worker is on, counted from 0; its id says so."""
    return (worker_id - 1) % shards


def shards_of(gateway, shards):
    """By the client's address, the shard that its session is on."""
    return {s["client"]: shard_of(s["worker_id"], shards) for s in gateway.sessions()}
