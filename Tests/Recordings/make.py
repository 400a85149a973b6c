#!/usr/bin/env python3
"""Makes recordings anew: make.py [--out FOLDER] NAME…; README.md says what each needs."""

import argparse
import pathlib
import signal
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def recipes():
    """Every function of the recipes' files that takes the folder it fills, by the folder's name."""
    import debian_games
    import python_games
    import x_games
    found = {}
    for module in (debian_games, python_games, x_games):
        for name, function in vars(module).items():
            if callable(function) and getattr(function, "__code__", None) and \
                    function.__code__.co_varnames[:1] == ("out",):
                found[name.replace("_", "-")] = function
    return found


def main():
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME", choices=sorted(recipes()))
    parser.add_argument("--out", type=pathlib.Path, default=HERE)
    options = parser.parse_args()
    for name in options.names:
        out = options.out / name
        for old in out.glob("*.bin"):
            old.unlink()
        recipes()[name](out)
        print(name, *(f"{path.name}:{path.stat().st_size}" for path in sorted(out.glob("*.bin"))))


if __name__ == "__main__":
    main()
