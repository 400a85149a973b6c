"""How results are printed: as tables of benchmarks/README.md."""

import statistics


def spread(values, digits):
    """The median, and the least and the most."""
    return (f"{statistics.median(values):,.{digits}f} "
            f"[{min(values):,.{digits}f}, {max(values):,.{digits}f}]")


def megabytes(count):
    return f"{count / 1e6:.0f} MB"


def table(head, rows):
    for row in [head, ["---"] * len(head), *rows]:
        print("| " + " | ".join(row) + " |")
    print(end="", flush=True)
