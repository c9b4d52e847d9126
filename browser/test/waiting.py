"""Waiting for what has to come true: asked again and again until a deadline, which is there for what never comes."""

import time

# A slow machine is no failure.
PATIENCE = 60


class Failed(Exception):
    """A check that did not hold."""


class Late(Failed):
    """Something that did not come true in time."""


def until(what, condition, patience=PATIENCE, trouble=()):
    """The first value of `condition` that is true. Errors of the kinds in `trouble` mean "not yet"."""
    end, last = time.monotonic() + patience, None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = value
        except trouble as error:
            last = error
        if time.monotonic() > end:
            raise Late(f"{what}: not in {patience} s (last: {last!r})")
        time.sleep(0.03)
