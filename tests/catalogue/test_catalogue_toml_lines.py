"""The line of a member, found as a reader would."""

import pytest

from allgate.catalogue.toml_lines import line_of

TEXT = """\
# models
owned_by = "a"

[[models]]
name = "one"
limits = { output_tokens = 1 }

[[models.rules]]
clear = ["seed"]

[[models.rules]]
clear = [
  "top_p",
]
[models.caps.openai_chat]
stop_max = 1

[[models]]
name = "two"
deployments = [{ upstream = "u" }]
"quoted" = 1
  [[models.rules]]  # indented
  why = "x"
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("owned_by", 2),
        ("models[0]", 4),
        ("models[0].name", 5),
        ("models[0].limits.output_tokens", 6),
        ("models[0].rules[0].clear[0]", 9),
        ("models[0].rules[1].clear[0]", 12),
        ("models[0].rules[1].why", 11),
        ("models[0].caps.openai_chat.stop_max", 16),
        ("models[1].name", 19),
        ("models[1].deployments[0].upstream", 20),
        ("models[1].quoted", 21),
        ("models[1].rules[0].why", 23),
        ("models[1].family", 18),
        ("models[7].name", None),
        ("", None),
    ],
)
def test_a_member_is_found_on_its_line_or_that_of_what_holds_it(path: str, line: int | None) -> None:
    assert line_of(TEXT, path) == line
