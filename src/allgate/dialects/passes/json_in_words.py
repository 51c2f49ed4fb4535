"""How a model is asked for JSON that has no switch for it. One wording for every dialect: it is part of what an answer
depends on, and what comes back is judged the same everywhere (`promised_json`)."""

from allgate.operations.chat.request import OutputFormat
from allgate.wire import json

ONE_OBJECT = "Reply with one JSON object and nothing else: no markdown, no explanation."
_ANY_JSON = "Reply with JSON and nothing else: no markdown, no explanation."


def in_words(output: OutputFormat) -> str:
    """The instruction for a `json_object` or a `json_schema`."""
    if output.kind != "json_schema":
        return ONE_OBJECT
    schema = output.schema or {}
    begun = ONE_OBJECT if schema.get("type") == "object" else _ANY_JSON
    return f"{begun} It must match this JSON schema:\n{json.encode_text(schema)}"
