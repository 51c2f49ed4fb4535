"""The text of a content value, which is a string or a list of blocks at many places of this format."""

from allgate.dialects.passes.lenient import objects_of, text_of
from allgate.wire.json import Json


def texts_in(content: Json) -> str:
    """A string itself, or the text blocks of a list joined by line ends."""
    if isinstance(content, str):
        return content
    return "\n".join(text for block in objects_of(content) if (text := text_of(block.get("text"))))
