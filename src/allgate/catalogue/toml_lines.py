"""On which line of a TOML file a member stands, so that an error can say it.

`tomllib` names a line only where the text is no TOML. A member of the wrong shape is known by its path
(`models[2].rules[0].clear`); this finds the line of it by counting headers, as a reader would: `[[models]]` begins the next
model, `[[models.rules]]` the next rule of it. Inside an inline table it is the line on which the table begins.
"""

import re

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\"'\- ]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-]+|\"[^\"]*\"|'[^']*')\s*[.=]")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")

Path = tuple[str | int, ...]


def line_of(text: str, path: str) -> int | None:
    """The line, from 1, of the deepest part of `path` that has one of its own; None: nothing of it is there.

    >>> line_of('[[models]]\\nname = "a"\\n[[models]]\\nname = 1\\n', "models[1].name")
    4
    """
    wanted: Path = tuple(int(place) if place else name for name, place in _STEP.findall(path))
    best, depth = None, 0
    for number, at in _lines(text):
        if len(at) > depth and at == wanted[: len(at)]:
            best, depth = number, len(at)
    return best


def _lines(text: str) -> list[tuple[int, Path]]:
    """(line, the path that it begins) of every header and key."""
    found: list[tuple[int, Path]] = []
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _entered(header[2], counts, many=header[1] == "[[")
            found.append((number, table))
        elif key := _KEY.match(line):
            found.append((number, (*table, key[1].strip("\"'"))))
    return found


def _entered(name: str, counts: dict[Path, int], *, many: bool) -> Path:
    """The path of a header's table: names of arrays are followed by the place of their newest element."""
    path: Path = ()
    words = [word.strip(" \"'") for word in name.split(".")]
    for place, word in enumerate(words):
        path = (*path, word)
        if many and place == len(words) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
