"""The docs, held to the code and to each other. Each check is a function from the root to its complaints.

A python block runs if its fence says so (```python runnable). The blocks of one page run in order, as a reader would
type them, in one namespace and in an empty folder.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
RUN_S_MAX = 60  # a page's examples together; documentation that takes longer is a test
README = ("README.md", "README.zh-CN.md")
FRAGMENT_KINDS = ("added", "changed", "fixed", "removed", "security")


class Block(NamedTuple):
    """A fenced block: what follows the fence, the line it starts on, and its text."""

    marks: str
    line: int
    text: str


def pages(root: Path) -> list[Path]:
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def blocks(page: str) -> list[Block]:
    found = re.finditer(r"^```(\S[^\n]*)?\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [Block(m[1] or "", page.count("\n", 0, m.start()) + 1, m[2]) for m in found]


def prose(page: str) -> str:
    """The page without its fenced blocks, whose `#` and brackets are not Markdown's."""
    return re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)


def runnable_blocks_run(root: Path) -> Iterator[str]:
    for page in pages(root):
        found = [block for block in blocks(page.read_text()) if block.marks.split() == ["python", "runnable"]]
        if found and (fault := _run(found, page.name)):
            yield f"{page.relative_to(root)}: an example does not run\n{fault}"


def _run(found: list[Block], name: str) -> str:
    """Run the blocks as one program that keeps the page's line numbers; return what it said if it failed."""
    program = ""
    for block in found:
        program += "\n" * (block.line - program.count("\n")) + block.text
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_text(program)
        command = [sys.executable, "-W", "error", name]
        try:
            run = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=RUN_S_MAX, check=False
            )
        except subprocess.TimeoutExpired:
            return f"no end after {RUN_S_MAX} s"
    return run.stdout + run.stderr if run.returncode else ""


def dependencies_have_their_sentence(root: Path) -> Iterator[str]:
    page = (root / "docs/dependencies.md").read_text()
    sentences = Counter(normal(name) for name in re.findall(r"^- `([^`]+)`: .+\.$", page, re.MULTILINE))
    wanted = dependencies(tomllib.loads((root / "pyproject.toml").read_text()))
    for name in sorted(wanted - sentences.keys()):
        yield f"docs/dependencies.md: `{name}` of pyproject.toml has no sentence (- `{name}`: what it does for us.)"
    for name in sorted(sentences.keys() - wanted):
        yield f"docs/dependencies.md: `{name}` is no dependency of pyproject.toml"
    for name in sorted(name for name, count in sentences.items() if count > 1):
        yield f"docs/dependencies.md: `{name}` has {sentences[name]} sentences"


def dependencies(pyproject: dict[str, Any]) -> set[str]:
    """The names in `[project]`, its extras and the dependency groups."""
    project: dict[str, Any] = pyproject["project"]
    groups: dict[str, list[str]] = project.get("optional-dependencies", {}) | pyproject.get(
        "dependency-groups", {}
    )
    entries = chain(project["dependencies"], *groups.values())
    return {normal(found[0]) for entry in entries if (found := re.match(r"[\w.-]+", entry))}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def readmes_are_in_step(root: Path) -> Iterator[str]:
    """The same headings, by level and order, and the same blocks but for their comments."""
    if absent := [name for name in README if not (root / name).is_file()]:
        yield f"{absent[0]} is absent"
        return
    first, second = ((root / name).read_text() for name in README)
    if (levels := headings(first)) != headings(second):
        yield f"{README[0]} has headings of levels {levels}, {README[1]} {headings(second)}"
    for ours, theirs in zip(commands(first), commands(second), strict=False):
        if ours != theirs:
            yield f"{README[0]} says\n{ours}\nwhere {README[1]} says\n{theirs}"
    if len(commands(first)) != len(commands(second)):
        yield f"{README[0]} has {len(commands(first))} blocks, {README[1]} {len(commands(second))}"


def headings(page: str) -> list[int]:
    return [len(marks) for marks in re.findall(r"^(#+) ", prose(page), re.MULTILINE)]


def commands(page: str) -> list[str]:
    return [
        re.sub(r"[ \t]*(^|[ \t])#.*$", "", block.text, flags=re.MULTILINE).strip() for block in blocks(page)
    ]


def links_lead_somewhere(root: Path) -> Iterator[str]:
    for page in pages(root):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose(page.read_text())):
            if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
                yield f"{page.relative_to(root)}: there is no {target}"


def decisions_are_numbered(root: Path) -> Iterator[str]:
    names = sorted(path.name for path in (root / "docs/decisions").glob("*") if not path.name.startswith("."))
    for name in names:
        if not re.fullmatch(r"\d{4}-[a-z0-9]+(-[a-z0-9]+)*\.md", name):
            yield f"docs/decisions/{name}: a record is named NNNN-title-in-lower-case.md"
    for number, count in Counter(name[:4] for name in names).items():
        if count > 1:
            yield f"docs/decisions: {count} records have the number {number}"


def fragments_have_a_kind(root: Path) -> Iterator[str]:
    for path in sorted((root / "changelog.d").glob("*")):
        if not path.name.startswith(".") and not re.fullmatch(
            rf"[a-z0-9-]+\.({'|'.join(FRAGMENT_KINDS)})\.md", path.name
        ):
            yield f"changelog.d/{path.name}: a fragment is named title.KIND.md, KIND one of {', '.join(FRAGMENT_KINDS)}"


CHECKS = (
    runnable_blocks_run,
    dependencies_have_their_sentence,
    readmes_are_in_step,
    links_lead_somewhere,
    decisions_are_numbered,
    fragments_have_a_kind,
)


def main() -> int:
    found = [complaint for check in CHECKS for complaint in check(ROOT)]
    print(*found, sep="\n", end="\n" if found else "")
    print(f"docs: {len(CHECKS)} checks, {len(found) or 'no'} complaints")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
