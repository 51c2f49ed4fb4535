"""Whether two request bodies say the same, in any of the spellings that the format admits."""

from collections.abc import Iterator

_EMPTY = (None, [], {}, "", False)
_ALL_ROLES_TEXT = ("input_text", "output_text", "text", "summary_text")


def differences(before: dict, after: dict) -> list[str]:
    """The paths at which `after` does not say what `before` says."""
    return list(_unequal(_normal(before), _normal(after), ""))


def _normal(body: dict) -> dict:
    items = body.get("input")
    if isinstance(items, str):
        items = [{"role": "user", "content": items}]
    tools = [_tool(tool) for tool in body.get("tools") or []]
    body = {**body, "include": sorted(body.get("include") or [])}
    full = {**body, "input": [item for item in map(_item, items or []) if item], "tools": tools}
    return {key: value for key, value in full.items() if value not in _EMPTY}


def _item(item: dict) -> dict | None:
    item = dict(item)
    if "role" in item and item.get("type") in (None, "message"):
        item["type"] = "message"
        item["content"] = _content(item["content"])
        if not item["content"]:
            return None
    elif isinstance(item.get("output"), (str, list)):
        item["output"] = _content(item["output"])
    return {key: value for key, value in item.items() if value not in _EMPTY}


def _content(content: str | list) -> list:
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    normal = []
    for part in parts:
        part = {key: value for key, value in part.items() if value not in _EMPTY}
        if part.get("type") in _ALL_ROLES_TEXT:
            part["type"] = "text"
        if part.get("type") == "input_image":
            part.setdefault("detail", "auto")
        if len(part) > 1:
            normal.append(part)
    return normal


def _tool(tool: dict) -> dict:
    if tool.get("type") == "function":
        tool = {**tool, "parameters": tool.get("parameters") or {"type": "object", "properties": {}}}
    if tool.get("type") == "namespace":
        tool = {**tool, "tools": [_tool(child) for child in tool.get("tools") or []]}
    return {key: value for key, value in tool.items() if value is not None}


def _unequal(before, after, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            if key not in before or key not in after:
                if not _is_null(before.get(key, after.get(key))):
                    yield f"{path}.{key}: only {'before' if key in before else 'after'}"
            else:
                yield from _unequal(before[key], after[key], f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _unequal(one, other, f"{path}[{index}]")
    elif before != after:
        yield f"{path}: {str(before)[:80]!r} became {str(after)[:80]!r}"


def _is_null(value) -> bool:
    return value is None
