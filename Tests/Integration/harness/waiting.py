"""Waiting for something to become true, never for time to pass."""

import time

# Generous: a slow machine that runs other things too must not fail a test.
DEADLINE_SECONDS = 30


def until(condition, what="condition", deadline=DEADLINE_SECONDS):
    """Polls `condition` until it is truthy and returns its value; fails after `deadline`."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline} s: {what}")
        time.sleep(0.01)


def stays(condition, seconds, what="condition"):
    """Fails if `condition` stops being truthy within `seconds`: for what must not happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), f"did not stay: {what}"
        time.sleep(0.02)
