"""Configuration files: PersistentParadoxPlex's own form, and what `check` says about mistakes."""

import subprocess

from harness.client import Client
from harness.gateway import binary, configuration, toml

PARADOX = """
[server]
host = "0.0.0.0"
port = 7999

[[upstream]]
host = "127.0.0.1"
port = 45888

alive_timeout = 30
ready_timeout = 5

# [[upstream]]
# host = "127.0.0.1"
# port = 45887

[management_server]
host = "0.0.0.0"

# log_level = "trace"
port = 8000

[management_server.tls]
cert_path = ""
key_path = ""
"""


def check(tmp_path, text):
    path = tmp_path / "checked.toml"
    path.write_text(text)
    return subprocess.run([binary(), "check", "--config", path], capture_output=True, text=True,
                          cwd=tmp_path, timeout=60)


def test_paradox_form_is_accepted(tmp_path):
    """PersistentParadoxPlex's own file, as it is shipped, is a valid configuration."""
    done = check(tmp_path, PARADOX)
    assert done.returncode == 0, done.stdout + done.stderr


def test_paradox_form_serves(start_gateway, start_worker, connect):
    """A gateway with such a file serves raw clients; each read is a packet."""
    worker = start_worker()
    # The same keys, with ports that are free here; the fixture fills in those that are 0.
    gateway = start_gateway(ready=0, config={
        "server": {"host": "0.0.0.0", "port": 0},
        "upstream": [{"host": "127.0.0.1", "port": worker.port, "alive_timeout": 30,
                      "ready_timeout": 5}],
        "management_server": {"host": "0.0.0.0", "port": 0,
                              "tls": {"cert_path": "", "key_path": ""}},
    })
    client = connect(gateway)
    client.send(b"hello")
    assert client.receive_exactly(5) == b"hello"
    assert worker.packets() == [b"hello"]
    assert gateway.api("GET", "/upstream", token=None)[0] == 401


def test_good_file(tmp_path):
    """A good file: exit status 0."""
    config = configuration(workers=["127.0.0.1:45888"])
    config["listener"][0]["address"] = "127.0.0.1:7999"
    config["management"]["address"] = "127.0.0.1:8000"
    done = check(tmp_path, toml(config))
    assert done.returncode == 0, done.stdout + done.stderr


def test_all_problems_at_once(tmp_path):
    """Every problem with its line and key, the nearest valid key, and exit status 1."""
    lines = ['[[listener]]',                       # 1
             'name = "game"',                      # 2
             'adress = "127.0.0.1:7999"',          # 3: no such key
             'framer = "missing"',                 # 4: not defined
             'pool = "default"',                   # 5
             'idle_timeout = "soon"',              # 6: not a duration
             '[[pool]]',                           # 7
             'name = "default"',                   # 8
             'balance = "random"',                 # 9: not one of the two
             '[[pool.worker]]',                    # 10
             'address = "127.0.0.1:99999"',        # 11: not a port
             '[limits]',                           # 12
             'sessions = -1',                      # 13: out of range
             '[lgo]',                              # 14: no such table
             'level = "info"']                     # 15
    done = check(tmp_path, "\n".join(lines) + "\n")
    output = done.stdout + done.stderr
    assert done.returncode == 1, output
    for line, key in [(3, "adress"), (4, "framer"), (6, "idle_timeout"), (9, "balance"),
                      (11, "address"), (13, "sessions"), (14, "lgo")]:
        assert any(f"checked.toml:{line}:" in text and key in text
                   for text in output.splitlines()), f"line {line}, {key}:\n{output}"
    assert "address" in next(t for t in output.splitlines() if "adress" in t).replace("adress", "")


def test_broken_syntax(tmp_path):
    """What is not TOML at all is a problem with a line, too."""
    done = check(tmp_path, '[[listener]]\nname = "game\n')
    assert done.returncode == 1
    assert "checked.toml:2" in done.stdout + done.stderr


def test_missing_file(tmp_path):
    """A file that is not there: exit status 1 and its name."""
    done = subprocess.run([binary(), "check", "--config", "nowhere.toml"], capture_output=True,
                          text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 1
    assert "nowhere.toml" in done.stdout + done.stderr


def test_serve_refuses_a_bad_file(tmp_path):
    """`serve` says the same as `check` and does not start."""
    path = tmp_path / "checked.toml"
    path.write_text('[[listener]]\nnmae = "game"\n')
    done = subprocess.run([binary(), "serve", "--config", path], capture_output=True, text=True,
                          cwd=tmp_path, timeout=60)
    assert done.returncode == 1
    assert "nmae" in done.stdout + done.stderr


def test_ipv6_listener(start_gateway, start_worker):
    """A listener on the IPv6 loopback."""
    worker = start_worker()
    gateway = start_gateway(workers=[worker], listener={"address": "[::1]:0"})
    client = Client(gateway.ports[0], host="::1")
    client.echo(b"hello")
    client.close()


def test_names_in_addresses(start_gateway, start_worker, connect):
    """Listeners and workers may be given by name."""
    worker = start_worker()
    gateway = start_gateway(workers=[f"localhost:{worker.port}"],
                            listener={"address": "localhost:0"})
    connect(gateway).echo(b"hello")
