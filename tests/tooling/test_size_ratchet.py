"""The size ratchet, on small trees with one fault each."""

import pytest

from size_ratchet import EXCEPTIONS, FILE_LINES_MAX, FUNCTION_LINES_MAX, complaints


def function_of(lines: int, docstring_lines: int = 0) -> str:
    docstring = ['    """It', *["    explains"] * (docstring_lines - 2), '    """'] if docstring_lines else []
    return "\n".join(["def f():", *docstring, *["    pass"] * (lines - 1)]) + "\n"


@pytest.fixture
def complain(tmp_path):
    def complain(text: str, **exceptions: int) -> list[str]:
        (tmp_path / "src").mkdir()
        (tmp_path / "src/a.py").write_text(text)
        return list(complaints(tmp_path, {f"src/{name}": lines for name, lines in exceptions.items()}))

    return complain


def test_a_file_at_the_wall_passes(complain):
    assert complain("x = 1\n" * FILE_LINES_MAX) == []


def test_a_file_past_the_wall_is_refused(complain):
    assert "501 lines, at most 500" in complain("x = 1\n" * (FILE_LINES_MAX + 1))[0]


def test_a_function_at_the_wall_passes(complain):
    assert complain(function_of(FUNCTION_LINES_MAX)) == []


def test_a_function_past_the_wall_is_refused(complain):
    assert "src/a.py::f: 61 lines, at most 60" in complain(function_of(FUNCTION_LINES_MAX + 1))[0]


def test_a_docstring_does_not_count(complain):
    assert complain(function_of(FUNCTION_LINES_MAX, docstring_lines=10)) == []


def test_decorators_count(complain):
    assert "61 lines" in complain("@staticmethod\n" + function_of(FUNCTION_LINES_MAX))[0]


def test_functions_are_found_inside_classes_and_functions(complain):
    body = function_of(FUNCTION_LINES_MAX + 1).replace("\n", "\n        ")
    assert "src/a.py::A.g.f:" in "".join(
        complain("class A:\n    def g(self):\n        " + body.rstrip() + "\n")
    )


def test_the_longest_of_two_of_one_name_counts(complain):
    assert complain(function_of(FUNCTION_LINES_MAX + 1) + function_of(2)) != []


def test_an_exception_allows_its_lines_and_no_more(complain):
    assert complain("x = 1\n" * 600, **{"a.py": 600}) == []


def test_an_exception_does_not_allow_one_more_line(complain):
    assert "at most 599" in complain("x = 1\n" * 600, **{"a.py": 599})[0]


def test_an_exception_only_turns_down(complain):
    assert "turn its exception of 700 down" in complain("x = 1\n" * 600, **{"a.py": 700})[0]


def test_an_exception_needed_no_longer_is_refused(complain):
    assert "remove its exception" in complain("x = 1\n" * 500, **{"a.py": 600})[0]


def test_an_exception_for_nothing_is_refused(complain):
    assert "no such file" in complain("", **{"b.py": 600})[0]


def test_the_exceptions_are_still_none():
    assert [line for line in EXCEPTIONS.read_text().splitlines() if not line.startswith("#")] == []
