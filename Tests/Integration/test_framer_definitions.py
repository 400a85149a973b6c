"""framers/: the definitions against a second implementation, and where an installed gateway looks."""

import os
import shutil
import subprocess
import tomllib

import pytest

from harness import ROOT, framer_model
from harness.gateway import binary

FRAMERS = sorted((ROOT / "framers").glob("*.toml"))
LISTENER = """
[[listener]]
address = "127.0.0.1:7999"
framer = "%s"
# Some games' packets are longer than the default allows.
[limits]
message_size = "64MiB"
[[pool]]
[[pool.worker]]
address = "127.0.0.1:45888"
"""


@pytest.mark.parametrize("path", FRAMERS, ids=lambda path: path.stem)
def test_the_model_agrees(path):
    """A definition's vectors hold for the naive model, too."""
    assert list(framer_model.problems(tomllib.loads(path.read_text()))) == []


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of a `make install` with PREFIX and DESTDIR."""
    built = ROOT / ".build" / "release" / "gatehouse"
    if not built.exists():
        pytest.skip("there is no release build to install")
    destination = tmp_path_factory.mktemp("installed")
    subprocess.run(["make", "--silent", "-C", ROOT, "install", f"DESTDIR={destination}",
                    "PREFIX=/opt/games"], check=True)
    # As when GATEHOUSE_BIN is what is tested.
    shutil.copy(binary(), destination / "opt/games/bin/gatehouse")
    return destination / "opt" / "games"


def check(installed, folder, text):
    path = folder / "gatehouse.toml"
    path.write_text(text)
    program = installed / "bin" / "gatehouse"
    return subprocess.run([program, "check", "--config", path], capture_output=True, text=True,
                          cwd=folder, timeout=60)


def test_what_is_installed(installed):
    """The program, every definition, and the header for plugins; readable for all."""
    files = sorted(str(each.relative_to(installed)) for each in installed.rglob("*")
                   if each.is_file())
    assert files == sorted(["bin/gatehouse", "include/gatehouse_framer.h"] + [
        f"share/gatehouse/framers/{path.name}" for path in FRAMERS])
    for name in files:
        assert os.stat(installed / name).st_mode & 0o444 == 0o444, name


def test_an_installed_gateway_finds_its_framers(installed, tmp_path):
    """Each of them, wherever it is started and wherever the folder stands."""
    for path in FRAMERS:
        done = check(installed, tmp_path, LISTENER % path.stem)
        assert done.returncode == 0, done.stdout + done.stderr
    moved = shutil.copytree(installed, tmp_path / "elsewhere")
    assert check(moved, tmp_path, LISTENER % "tibia-login").returncode == 0


def test_without_its_framers_it_says_so(installed, tmp_path):
    """A program alone knows no ready-made framers, and tells what it expected."""
    program = tmp_path / "alone" / "bin"
    program.mkdir(parents=True)
    shutil.copy(installed / "bin" / "gatehouse", program)
    done = check(tmp_path / "alone", tmp_path, LISTENER % "tibia-login")
    assert done.returncode != 0
    assert 'no framer is named "tibia-login"' in done.stdout + done.stderr


def test_the_header_is_enough_for_a_plugin(installed, tmp_path):
    """The example builds with what was installed, in C and in C++."""
    source = ROOT / "examples" / "plugin"
    subprocess.run(["make", "--silent", "-C", source, f"BUILD={tmp_path}",
                    f"INCLUDE={installed / 'include'}"], check=True)
    (tmp_path / "plugin.cc").write_text('#include "gatehouse_framer.h"\n')
    subprocess.run(["c++", "-fsyntax-only", f"-I{installed / 'include'}", tmp_path / "plugin.cc"],
                   check=True)
