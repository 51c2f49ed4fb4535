"""What a request asks a model to be able to do, as words, and which of them a deployment lacks.

`plan` compares a request's features with the Caps of each (deployment, dialect). The words are also what an error
names, so they are plain.
"""

from allgate.operations.chat.caps import Caps
from allgate.operations.chat.parts import Media, Part, ToolResult
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.tools import Builtin, Custom, Function

# Built-ins whose silent loss would make the model invent an answer; others degrade with a note.
HOSTED_FEATURES = frozenset(
    {"web_search", "web_fetch", "code_execution", "file_search", "image_generation", "mcp", "computer"}
)


MEDIA_INPUTS = frozenset({"image_input", "audio_input", "video_input", "document_input"})


def features_of(request: ChatRequest) -> frozenset[str]:
    """Feature words of a decoded request: tools, custom_tools, hosted kinds, image/audio/video/document input,
    image_output, audio_output, n."""
    found: set[str] = set()
    for tool in request.tools:
        match tool:
            case Function():
                found.add("tools")
            case Custom():
                found.update(("tools", "custom_tools"))
            case Builtin(optional=True):
                pass
            case Builtin():
                found.add(tool.kind if tool.runs == "server" and tool.kind in HOSTED_FEATURES else "tools")
    for turn in request.turns:
        for part in turn.parts:
            _add_media(part, found)
    if request.state.background:
        found.add("background")
    found.update(f"{kind}_output" for kind in request.modalities if kind != "text")
    return frozenset(found)


def _add_media(part: Part, found: set[str]) -> None:
    if isinstance(part, Media):
        found.add(f"{part.kind}_input")
    elif isinstance(part, ToolResult):
        for inner in part.parts:
            _add_media(inner, found)


def missing_feature(features: frozenset[str], caps: Caps) -> str | None:
    """The first feature (in alphabetical order) that these Caps do not cover; None if all are covered.

    Custom tools are not missing where functions exist: they are wrapped, with a note.
    """
    for feature in sorted(features):
        if not _covered(feature, caps):
            return feature
    return None


def _covered(feature: str, caps: Caps) -> bool:
    match feature:
        case "tools" | "custom_tools":
            return caps.tools
        case "background":
            return (
                False  # a job would go on after its request: the gateway has no route to ask for its end yet
            )
        case "image_input":
            return bool(caps.image_mimes)
        case "audio_input":
            return bool(caps.audio_mimes)
        case "video_input":
            return bool(caps.video_mimes)
        case "document_input":
            return bool(caps.document_mimes)
        case "image_output" | "audio_output" | "video_output":
            return feature.removesuffix("_output") in caps.modalities_out
        case _:
            return feature not in HOSTED_FEATURES or feature in caps.hosted
