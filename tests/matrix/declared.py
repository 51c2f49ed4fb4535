"""Which tools a recorded request declared, read from its own dialect by hand."""

from readings import Tools
from recorded import Recording


def declared_tools(recording: Recording) -> Tools:
    """Names only: the replay answers what it answers, but a reply's call is told apart by how its tool was declared."""
    body = recording.request if isinstance(recording.request, dict) else {}
    functions: list[str] = [one["name"] for one in body.get("functions") or () if "name" in one]
    customs: list[str] = []
    for tool in body.get("tools") or ():
        match tool:
            case {"function": {"name": str(name)}} | {"type": "function", "name": str(name)}:
                functions.append(name)
            case {"custom": {"name": str(name)}} | {"type": "custom", "name": str(name)} if (
                recording.dialect != "anthropic"
            ):
                customs.append(name)
            case {"name": str(name)} if recording.dialect == "anthropic" and "input_schema" in tool:
                functions.append(name)
            case {"functionDeclarations": list(many)} | {"function_declarations": list(many)}:
                functions += [one["name"] for one in many]
    return Tools(tuple(dict.fromkeys(functions)), tuple(dict.fromkeys(customs)))
