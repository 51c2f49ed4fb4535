"""Structured output for models without it: a tool whose schema is the wanted one, and whose input is the answer.

The model must call `json_output`; what it writes there is the client's text, and the call itself is never seen. Where
the client has tools of its own, or the model is thinking, the call cannot be forced; then the system text asks for it.
"""

from allgate.dialects.passes.json_in_words import in_words
from allgate.dialects.passes.schemas import for_anthropic_input
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, converted
from allgate.operations.chat.request import ChatRequest
from allgate.wire.json import JsonObject

NAME = "json_output"
ASK = f"Give your final answer by calling the tool `{NAME}`, and write nothing beside it."
_DESCRIPTION = "Gives the final answer in the form that the user asked for."


def is_emulated(request: ChatRequest, caps: Caps) -> bool:
    """Does the answer's JSON come through a tool?"""
    output = request.output
    return output is not None and output.kind == "json_schema" and caps.json_schema == "none" and caps.tools


def in_words_for(request: ChatRequest, caps: Caps) -> str:
    """What must be said instead: of an object, which the vendor has no switch for, or of a schema where there are no
    tools either. Empty: nothing."""
    output = request.output
    if output is None or output.kind not in ("json_object", "json_schema"):
        return ""
    if output.kind == "json_schema" and (caps.json_schema != "none" or caps.tools):
        return ""
    return in_words(output)


def tool_name(request: ChatRequest) -> str:
    """The tool's name: one that no tool of the client has."""
    taken = {tool.name for tool in request.tools}
    name = NAME
    while name in taken:
        name += "_"
    return name


def output_tool(request: ChatRequest) -> tuple[JsonObject, tuple[Note, ...]]:
    """The tool, and what its schema lost."""
    output = request.output
    schema, notes = for_anthropic_input((output.schema if output else None) or {"type": "object"})
    description = (output.description if output else None) or _DESCRIPTION
    tool: JsonObject = {"name": tool_name(request), "description": description, "input_schema": schema}
    return tool, (*notes, converted("output", "asked for through a tool"))
