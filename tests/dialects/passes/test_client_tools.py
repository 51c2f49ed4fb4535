"""Client-run built-ins as functions."""

import pytest

from allgate.dialects.passes.client_tools import as_function
from allgate.operations.chat.tools import Builtin


@pytest.mark.parametrize(
    "kind", ["local_shell", "shell", "apply_patch", "bash", "text_editor", "memory", "tool_search"]
)
def test_a_client_tool_is_a_function_of_its_name(kind):
    function = as_function(Builtin(kind=kind, runs="client"))
    assert function.name == kind
    assert set(function.schema["required"]) <= function.schema["properties"].keys()


def test_the_client_keeps_its_own_name_description_and_parameters():
    raw = {"type": "tool_search", "description": "BM25", "parameters": {"type": "object", "properties": {}}}
    function = as_function(Builtin(kind="tool_search", runs="client", raw=raw))
    assert (function.description, function.schema) == ("BM25", raw["parameters"])
    assert as_function(Builtin(kind="text_editor", runs="client", name="str_replace_editor")).name == (
        "str_replace_editor"
    )


@pytest.mark.parametrize("tool", [("computer", "client"), ("web_search", "server"), ("shell", "server")])
def test_a_screen_and_what_the_provider_runs_are_no_functions(tool):
    assert as_function(Builtin(kind=tool[0], runs=tool[1])) is None
