"""The SQL of the package, by name. The files are made from `statements` and read once per process."""

from functools import cache
from importlib.resources import files


@cache
def statements() -> dict[str, str]:
    """Every statement of `sql/statements.sql` by its name, with named parameters."""
    blocks = _page("statements.sql").split("\n-- name: ")[1:]
    return {name: body.rstrip() for name, _, body in (_parted(block) for block in blocks)}


def schema_script(dialect: str = "sqlite") -> str:
    """What makes an empty database into today's. `dialect`: sqlite or postgresql."""
    return _page(f"schema.{dialect}.sql")


def _parted(block: str) -> tuple[str, str, str]:
    name, _, rest = block.partition("\n")
    sentence, _, body = rest.partition("\n")
    return name.strip(), sentence.removeprefix("-- "), body


def _page(name: str) -> str:
    return (files("allgate.storage") / "sql" / name).read_text("utf-8")
