"""Counts of Python calls.

In a gateway that does many things at once the code of a codec is seldom in the processor's cache, so its cost follows the
number of functions that it runs through. Unlike a time, that number is the same on every machine.
"""

import gc
import sys
from collections.abc import Callable
from types import FrameType


def calls_of(step: Callable[[], object]) -> int:
    """How many Python functions `step` runs, itself not counted."""
    step()  # the first time builds what is built once
    count = -1

    def seen(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    gc.collect()  # what others left is finalized now: those calls would be counted as the step's
    gc.disable()
    sys.setprofile(seen)
    try:
        step()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count
