"""Framer plugins: the example behind a real gateway, and what is wrong with others."""

import itertools
import random
import struct
import subprocess

import pytest

from harness import ROOT
from harness.gateway import configuration, toml
from harness.workers import silent
from test_configuration import check

EXAMPLE = ROOT / "examples" / "plugin"
INCLUDE = ROOT / "include"


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The example plugin, built as its README says."""
    build = tmp_path_factory.mktemp("plugin")
    subprocess.run(["make", "--silent", "-C", EXAMPLE, f"BUILD={build}"], check=True)
    return build / "rolling_key.so"


@pytest.fixture
def plugin(tmp_path):
    """plugin(step=…, table=…, before=…) -> a shared object made of these pieces of C."""
    numbers = itertools.count()

    def build(step="", table="", before=""):
        made = tmp_path / f"plugin{next(numbers)}.so"
        source = made.with_suffix(".c")
        source.write_text("""
            #include "gatehouse_framer.h"
            #include <string.h>
            %s
            static int start(const char *a, void **c, char *error, size_t size) { return 0; }
            static struct gatehouse_framer_step step(void *context, uint64_t *stream,
                const uint8_t *bytes, size_t count, size_t scanned) {
              struct gatehouse_framer_step step = { GATEHOUSE_FRAMER_PACKET, 0, count };
              %s
              return step;
            }
            const struct gatehouse_framer *gatehouse_framer(void) {
              static struct gatehouse_framer made = {
                  GATEHOUSE_FRAMER_ABI, sizeof made, start, 0, step, 0, 0 };
              %s
              return &made;
            }""" % (before, step, table))
        subprocess.run(["cc", f"-I{INCLUDE}", "-fPIC", "-shared", "-o", made, source], check=True)
        return made
    return build


def with_plugin(workers, path, **keys):
    framer = {"kind": "plugin", "file": str(path), **keys}
    return {**configuration(workers=workers), "framer": {"frames": framer}}


def problem(tmp_path, path, **keys):
    """What `gatehouse check` says of a configuration with this plugin."""
    config = with_plugin(["127.0.0.1:1"], path, **keys)
    config["listener"][0]["address"] = "127.0.0.1:7999"
    config["management"]["address"] = "127.0.0.1:8000"
    done = check(tmp_path, toml(config))
    return done.returncode, done.stdout + done.stderr


def stream(seed, bodies, multiplier=1103515245, increment=12345):
    """The packets of a client of the example's game."""
    key = seed & 0x7FFFFFFF
    packets = [b"RK" + struct.pack("<I", seed)]
    for body in bodies:
        packets.append(struct.pack("<H", len(body) ^ key >> 15) + body)
        key = (key * multiplier + increment) & 0x7FFFFFFF
    return packets


@pytest.mark.parametrize("arguments", ["", "22695477 1"])
def test_split_streams(start_gateway, start_worker, connect, example, arguments):
    """However a stream is cut, the worker gets the packets; keys of clients don't mix."""
    numbers = [int(each) for each in arguments.split()]
    worker = start_worker(on_packet=silent)
    gateway = start_gateway(config=with_plugin([worker], example, arguments=arguments))
    expected = []
    for seed in [0, 1, 0xDEADBEEF]:
        chance = random.Random(seed)
        packets = stream(seed, [chance.randbytes(size) for size in [1, 2, 300, 5, 1]], *numbers)
        rest = b"".join(packets)
        clients = [connect(gateway), connect(gateway)]
        while rest:
            size = chance.randint(1, 40)
            for client in clients:
                client.send(rest[:size])
            rest = rest[size:]
        expected += 2 * packets
        worker.wait_packets(len(expected))
    assert sorted(worker.packets()) == sorted(expected)


def test_refused_bytes_end_the_session(start_gateway, start_worker, connect, example):
    """A stream that begins otherwise, and a packet longer than `max`, are framing violations."""
    worker = start_worker(on_packet=silent)
    gateway = start_gateway(config=with_plugin([worker], example, max=100))
    packets = stream(7, [b"x" * 98, b"x" * 99])
    for sent in [b"RX", b"".join(packets)[:-90]]:
        client = connect(gateway)
        client.send(sent)
        client.wait_closed()
    gateway.wait_closed("framing-violation", count=2)
    assert worker.wait_packets(2) == packets[:2]


def test_check_loads_it(tmp_path, example):
    """A plugin that loads is right; so it is with a path relative to the configuration."""
    assert problem(tmp_path, example)[0] == 0
    (tmp_path / "here.so").write_bytes(example.read_bytes())
    assert problem(tmp_path, "here.so")[0] == 0


def test_arguments_are_refused(tmp_path, example):
    """What the plugin says against its arguments is told to the operator."""
    for arguments in ["one two", "1", "1 2 3"]:
        status, text = problem(tmp_path, example, arguments=arguments)
        assert status != 0
        assert f'"{arguments}" is not a multiplier and an increment' in text


def test_objects_that_are_no_plugins(tmp_path, plugin):
    """Each way not to be a plugin has its own words, and names the file."""
    (tmp_path / "text.so").write_text("no object at all")
    empty = tmp_path / "empty.so"
    subprocess.run(["cc", "-shared", "-x", "c", "-o", empty, "/dev/null"], check=True)
    for path, words in [
            (tmp_path / "missing.so", "No such file"), (tmp_path / "text.so", "expected a shared"),
            (empty, "it exports no gatehouse_framer"),
            (plugin(table="made.abi = 99;"), "it was built for version 99"),
            (plugin(table="made.size = 8;"), "the plugins' ABI"),
            (plugin(table="made.step = 0;"), "its table has no open or no step"),
            (plugin(table="made.open = 0;"), "its table has no open or no step"),
            (plugin(table="return 0;"), "its gatehouse_framer returns NULL"),
            # An explanation that has no end is cut short.
            (plugin(before="""static int refuse(const char *a, void **c, char *e, size_t n) {
                memset(e, 'x', n); return 1; }""", table="made.open = refuse;"),
             "it refuses its arguments: xxxx")]:
        status, text = problem(tmp_path, path.name)
        assert status != 0 and words in text and path.name in text, text


@pytest.mark.parametrize("step", [
    "step.byte_count = count + 1;", "step.byte_count = 0;", "step.byte_count = UINT64_MAX;",
    "step.dropped = count + 1;", "step.answer = 77;",
    "step.answer = GATEHOUSE_FRAMER_NEED_MORE;",
    "step.answer = GATEHOUSE_FRAMER_VIOLATION;"])
def test_answers_out_of_bounds_end_the_session(
        start_gateway, start_worker, connect, plugin, step):
    """The gateway survives them, and so do other listeners' sessions."""
    worker = start_worker()
    config = with_plugin([worker], plugin(step=f"if (bytes[0] == '!') {{ {step} }}"))
    gateway = start_gateway(config=config)
    bystander, client = connect(gateway), connect(gateway)
    bystander.send(b"before")
    assert bystander.receive_exactly(6) == b"before"
    client.send(b"!")
    client.wait_closed()
    gateway.wait_closed("framing-violation")
    bystander.send(b"after")
    assert bystander.receive_exactly(5) == b"after"


def test_contexts_and_streams_are_given_back(
        start_gateway, start_worker, connect, plugin, tmp_path):
    """`end` is called for each stream that kept something, and `close` at the end."""
    made = plugin(
        before="""
            #include <stdio.h>
            static void say(const char *what) {
              FILE *file = fopen("%s", "a"); fputs(what, file); fclose(file); }
            static void ended(void *context, uint64_t *stream) { say("end "); }
            static void taken(void *context, uint64_t *stream) { say("taken "); }
            """ % (tmp_path / "told"),
        step="*stream = bytes[0] == 'k';", table="made.end = ended; made.taken = taken;")
    worker = start_worker()
    gateway = start_gateway(config=with_plugin([worker], made))
    for sent in [b"keeps", b"forgets"]:
        client = connect(gateway)
        client.send(sent)
        assert client.receive_exactly(len(sent)) == sent
        client.close()
    gateway.wait_closed("client-closed", count=2)
    assert sorted((tmp_path / "told").read_text().split()) == ["end", "taken", "taken"]
