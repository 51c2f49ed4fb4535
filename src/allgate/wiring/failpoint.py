"""What a place is at which a process can be made to die (`failpoints`)."""

from typing import NamedTuple


class Failpoint(NamedTuple):
    """A function by its owner and name; the process dies before it begins, or after it has returned."""

    owner: object
    function: str
    after: bool
