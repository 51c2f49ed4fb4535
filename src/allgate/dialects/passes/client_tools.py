"""Built-in tools that the client runs, for targets that only know functions.

OpenAI and Anthropic train models on tools whose schema is not in the request (`local_shell`, `bash`, `text_editor`…).
Any other model gets the same tool as an ordinary function with the schema that the vendor documents; the client's own
dialect turns a call of that name back into what the client runs. A tool that acts on a screen is not offered this way:
a model without training on it clicks at random.
"""

from typing import cast

from allgate.operations.chat.tools import Builtin, BuiltinKind, Function
from allgate.wire.json import Json, JsonObject

_TEXT: JsonObject = {"type": "string"}
_TEXTS: JsonObject = {"type": "array", "items": _TEXT}
_NUMBER: JsonObject = {"type": "integer"}


def _object(required: list[str], **properties: JsonObject) -> JsonObject:
    return {"type": "object", "properties": properties, "required": required}


def _words(*words: str) -> JsonObject:
    return {"type": "string", "enum": list(words)}


# kind → (what the model is told, the arguments as the vendor's own calls hold them)
_FUNCTIONS: dict[BuiltinKind, tuple[str, JsonObject]] = {
    "local_shell": (
        "Runs one command on the user's machine and returns its output.",
        _object(
            ["command"],
            command={**_TEXTS, "description": "The program and its arguments."},
            working_directory=_TEXT,
            timeout_ms=_NUMBER,
            env={"type": "object", "additionalProperties": _TEXT},
            user=_TEXT,
        ),
    ),
    "shell": (
        "Runs shell commands on the user's machine and returns their output.",
        _object(["commands"], commands=_TEXTS, timeout_ms=_NUMBER, max_output_length=_NUMBER),
    ),
    "apply_patch": (
        "Creates, updates or deletes one file. `diff` is a V4A diff: lines that begin with a space, + or -, behind @@ "
        "headers; a new file is all + lines.",
        _object(
            ["type", "path"], type=_words("create_file", "update_file", "delete_file"), path=_TEXT, diff=_TEXT
        ),
    ),
    "bash": (
        "Runs a command in a persistent bash session on the user's machine.",
        _object([], command=_TEXT, restart={"type": "boolean", "description": "Start the session afresh."}),
    ),
    "text_editor": (
        "Views, creates and edits text files on the user's machine.",
        _object(
            ["command", "path"],
            command=_words("view", "create", "str_replace", "insert"),
            path=_TEXT,
            file_text=_TEXT,
            old_str=_TEXT,
            new_str=_TEXT,
            insert_line=_NUMBER,
            insert_text=_TEXT,
            view_range={"type": "array", "items": _NUMBER},
        ),
    ),
    "memory": (
        "Reads and writes files below /memories, which last from one conversation to the next.",
        _object(
            ["command"],
            command=_words("view", "create", "str_replace", "insert", "delete", "rename"),
            path=_TEXT,
            file_text=_TEXT,
            old_str=_TEXT,
            new_str=_TEXT,
            insert_line=_NUMBER,
            insert_text=_TEXT,
            old_path=_TEXT,
            new_path=_TEXT,
            view_range={"type": "array", "items": _NUMBER},
        ),
    ),
    "tool_search": (
        "Searches the tools that were not shown to you yet; those found can be called afterwards.",
        _object(["query"], query=_TEXT, limit=_NUMBER),
    ),
}


def as_function(tool: Builtin) -> Function | None:
    """The function that stands for a client-run built-in; None where there is none (computer, server-run tools).

    A description and parameters that the client wrote itself (Codex's tool_search) win over the documented ones.
    """
    if tool.runs != "client" or tool.kind not in _FUNCTIONS:
        return None
    description, schema = _FUNCTIONS[tool.kind]
    said = cast(JsonObject, tool.raw) if isinstance(tool.raw, dict) else {}
    own_description: Json = said.get("description")
    own_schema: Json = said.get("parameters")
    return Function(
        name=tool.name or tool.kind,
        description=own_description if isinstance(own_description, str) else description,
        schema=cast(JsonObject, own_schema) if isinstance(own_schema, dict) else schema,
        cache=tool.cache,
    )
