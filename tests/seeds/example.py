"""What an example of a seed document is: a request as written there, its place, and what its answer is to show."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Shows = Literal[
    "text", "tool", "thinking", "picture", "video", "json", "search", "length", "missing model", "types"
]


class Example(NamedTuple):
    """`place` is seed, section and title; our host and key stand in for the document's. `key` is the header it uses.

    `reaches`: what stands in the JSON that reaches a provider of each dialect.
    """

    place: str
    shows: Shows
    body: dict[str, Any]
    path: str = "/v1/chat/completions"
    key: Literal["authorization", "x-api-key"] = "authorization"
    reaches: Mapping[str, str] = {}

    @property
    def prompt(self) -> str:
        """The words of the user's last turn."""
        body = self.body
        if "contents" in body:
            return body["contents"][-1]["parts"][0]["text"]
        content = body.get("prompt") or body.get("input") or body["messages"]
        if isinstance(content, list):
            content = content[-1]["content"]
        return content if isinstance(content, str) else content[0]["text"]

    @property
    def model(self) -> str:
        """The model it asks for, which Gemini's format has in the path."""
        return self.body.get("model") or self.path.rpartition("/")[2].partition(":")[0]


def chat(
    place: str,
    shows: Shows,
    model: str,
    prompt: str | list[Any],
    /,
    system: str = "",
    *,
    reaches: Mapping[str, str] | None = None,
    **fields: Any,
) -> Example:
    """An example of Chat Completions."""
    first = [{"role": "system", "content": system}] if system else []
    messages = [*first, {"role": "user", "content": prompt}]
    return Example(place, shows, {"model": model, "messages": messages, **fields}, reaches=reaches or {})


def function(
    name: str, description: str, properties: dict[str, Any], required: list[str] | None
) -> dict[str, Any]:
    """A tool of Chat Completions."""
    parameters = {"type": "object", "properties": properties} | ({"required": required} if required else {})
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters},
    }


def shown(text: str, url: str, **fields: Any) -> list[dict[str, Any]]:
    """A question about a picture, which the test's own server has under the same path."""
    return [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url, **fields}}]
