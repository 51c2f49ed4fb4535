"""The size ratchet: no Python file grows past 500 lines, no function past 60.

What was allowed to be bigger once is named in `size_exceptions.toml` with its size of that day as the maximum, which may
only be turned down: an exception that is bigger than it needs to be, or needed no longer, fails like a file that is
too long. A function's length is counted from its first decorator to its last line, without its docstring, since the
wall is there for what has to be understood at once, not for what explains it.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXCEPTIONS = Path(__file__).with_name("size_exceptions.toml")
FOLDERS = ("src", "tests", "tools", "bench")
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60


def complaints(root: Path, exceptions: dict[str, int]) -> Iterator[str]:
    """What is too big under `root`; `exceptions` maps `path` or `path::function` to the lines allowed there."""
    sizes: dict[str, int] = {}
    for name, lines in measured(root):
        sizes[name] = max(lines, sizes.get(name, 0))  # a property and its setter share a name
    for name, lines in sizes.items():
        wall = FUNCTION_LINES_MAX if "::" in name else FILE_LINES_MAX
        allowed = exceptions.get(name, wall)
        if lines > allowed:
            yield f"{name}: {lines} lines, at most {allowed} are allowed; find its second idea and give it a home"
        elif name in exceptions and lines <= wall:
            yield f"{name}: {lines} lines are within {wall}; remove its exception"
        elif name in exceptions and lines < allowed:
            yield f"{name}: shrank to {lines} lines; turn its exception of {allowed} down to that"
    for name in exceptions.keys() - sizes.keys():
        yield f"{name}: there is no such file or function; remove its exception"


def measured(root: Path) -> Iterator[tuple[str, int]]:
    """Each Python file as `path` and each function in it as `path::Class.function`, with its lines."""
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*.py")):
            path, text = file.relative_to(root).as_posix(), file.read_text()
            yield path, len(text.splitlines())
            for name, lines in functions(ast.parse(text)):
                yield f"{path}::{name}", lines


def functions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + child.name, function_lines(child)
        named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        yield from functions(child, f"{prefix}{child.name}." if named else prefix)


def function_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    docstring = function.body[0] if ast.get_docstring(function, clean=False) is not None else None
    explained = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0
    return (function.end_lineno or 0) - first + 1 - explained


def main() -> int:
    found = list(complaints(ROOT, tomllib.loads(EXCEPTIONS.read_text())))
    print(*found, sep="\n", end="\n" if found else "")
    print(f"size ratchet: {len(found) or 'no'} complaints")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
