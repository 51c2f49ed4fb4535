"""The SQL that both databases run, by name. Its file is made from `statements` and read once per process."""

from functools import cache
from importlib.resources import files


@cache
def statements() -> dict[str, str]:
    """Every statement of `statements.sql` by its name, with named parameters."""
    blocks = (files("allgate.storage") / "statements.sql").read_text("utf-8").split("\n-- name: ")[1:]
    return {name: body.rstrip() for name, _, body in (_parted(block) for block in blocks)}


def _parted(block: str) -> tuple[str, str, str]:
    name, _, rest = block.partition("\n")
    sentence, _, body = rest.partition("\n")
    return name.strip(), sentence.removeprefix("-- "), body
