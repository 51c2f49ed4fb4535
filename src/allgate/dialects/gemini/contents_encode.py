"""Turns → contents.

Neighbouring model turns and neighbouring plain user turns are merged. The responses to a turn's calls stand in a
content of their own, right behind the calls: user text in the same content would move the start of the current turn,
from which Gemini counts when it checks signatures.

History has a first call without a signature where another model wrote it. Gemini 3 refuses that in the current turn
(behind the last user text), for the first call of each step: these get the documented dummy. Elsewhere nothing is needed.
"""

import base64
import binascii

from allgate.core.errors import unsupported
from allgate.dialects.gemini.arguments import arguments_object
from allgate.dialects.gemini.hosted import hosted_parts
from allgate.dialects.gemini.media import matches, media_part
from allgate.dialects.gemini.parts_decode import NO_ARGUMENTS
from allgate.dialects.gemini.results import response_part
from allgate.dialects.gemini.signatures import NO_SIGNATURE, ORIGIN, for_provider
from allgate.dialects.passes.custom_tools import wrap_input
from allgate.dialects.passes.tool_names import ToolNames
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, added, converted, dropped
from allgate.operations.chat.parts import (
    FileRef,
    Hosted,
    Inline,
    Media,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.operations.media_types import is_video_site
from allgate.wire.json import Json, JsonObject

CONTINUE = "Continue exactly from where the previous message stopped."
BEGIN = "(continue)"
EMPTY = "(empty message)"


class ContentsEncoder:
    """Writes the contents of one request; `notes` says what they could not hold."""

    def __init__(self, request: ChatRequest, caps: Caps, names: ToolNames) -> None:
        self._request = request
        self._caps = caps
        self._names = names
        self._called: dict[str, str] = {}  # call id → name as it was sent
        self._contents: list[JsonObject] = []
        self._results_last = False
        self.notes: list[Note] = []

    def contents(self) -> list[JsonObject]:
        """Raises: WireError: something without which the request would mean something else."""
        current = _start_of_current_turn(self._request.turns)
        for place, turn in enumerate(self._request.turns):
            if turn.name is not None and turn.role != "tool":
                self.notes.append(dropped("messages[].name", "not supported by gemini"))
            match turn.role:
                case "assistant":
                    self._add("model", self._model_parts(turn, place >= current))
                case "tool":
                    self._results(turn)
                case "user":
                    self._add("user", self._parts(turn.parts) or [{"text": EMPTY}])
                case "system" | "developer":
                    self.notes.append(
                        converted("messages[].role", "a later system message became a reminder")
                    )
                    self._add(
                        "user",
                        [{"text": _reminder(part.text)} for part in turn.parts if isinstance(part, Text)],
                    )
        return self._complete()

    def _complete(self) -> list[JsonObject]:
        contents = self._contents
        if not contents:
            return contents
        if contents[0]["role"] == "model":
            self.notes.append(added("messages", "a first user message: gemini must begin with one"))
            contents = [{"role": "user", "parts": [{"text": BEGIN}]}, *contents]
        if contents[-1]["role"] == "model" and not self._caps.prefill:
            self.notes.append(added("messages", "a last user message: this model does not continue its own"))
            contents = [*contents, {"role": "user", "parts": [{"text": CONTINUE}]}]
        return contents

    def _add(self, role: str, parts: list[JsonObject], *, results: bool = False) -> None:
        if not parts:
            return
        last = self._contents[-1] if self._contents else None
        if last is not None and last["role"] == role and not results and not self._results_last:
            last["parts"] += parts
        else:
            self._contents.append({"role": role, "parts": parts})
        self._results_last = results

    def _model_parts(self, turn: Turn, is_current: bool) -> list[JsonObject]:
        parts = self._parts(turn.parts)
        calls = [part for part in parts if "functionCall" in part]
        merging = bool(self._contents) and self._contents[-1]["role"] == "model"
        first_of_step = not (merging and any("functionCall" in part for part in self._contents[-1]["parts"]))
        unsigned = calls and "thoughtSignature" not in calls[0]
        if is_current and unsigned and first_of_step and self._caps.thinking == "level":
            calls[0]["thoughtSignature"] = NO_SIGNATURE
            self.notes.append(added("tool calls", "the dummy signature, for a call of another model"))
        return parts

    def _results(self, turn: Turn) -> None:
        responses: list[JsonObject] = []
        beside: list[JsonObject] = []
        for part in turn.parts:
            if not isinstance(part, ToolResult):
                beside += self._parts((part,))
                continue
            name = self._called.get(part.call_id) or self._names.sent(part.name or "unknown")
            response, media = response_part(
                part, name, with_id=self._caps.call_ids, with_media=self._caps.tool_images
            )
            responses.append(response)
            if media:
                beside.append({"text": f"[media of the result of {name}]"})
                beside += [self._media(one) for one in media]
        self._add("user", responses, results=True)
        self._add("user", beside)

    def _parts(self, parts: tuple[Part, ...]) -> list[JsonObject]:
        encoded: list[JsonObject] = []
        for part in parts:
            if type(part) is Text and not part.seals and not part.extra:
                if part.text:
                    encoded.append({"text": part.text})
            else:
                encoded += self._part(part)
        return encoded

    def _part(self, part: Part) -> list[JsonObject]:
        signature = for_provider(part.seals, self._caps) if part.seals else None
        if part.seals and signature is None:
            self.notes.append(dropped("signature", "of another vendor or account"))
        signed: JsonObject = {"thoughtSignature": signature} if signature else {}
        match part:
            case Text():
                own = part.extra.get("gemini", {})
                return [{**own, "text": part.text, **signed}] if part.text or signed else []
            case Thinking():
                if not signed:
                    self.notes.append(dropped("thinking", "not signed by this model"))
                    return []
                return [{"text": part.text, "thought": True, **signed}]
            case ToolCall():
                return [{**part.extra.get("gemini", {}), **self._call(part), **signed}]
            case Media():
                return [{**self._media(part), **signed}]
            case Refusal():
                return [{"text": part.text}] if part.text else []
            case Hosted():
                return self._hosted(part)
            case Opaque(dialect="gemini", raw=raw):
                return [{**raw, **signed}]
            case Opaque() | ToolResult():
                self.notes.append(
                    dropped("messages[].content", "a block that only its own vendor understands")
                )
                return []

    def _hosted(self, hosted: Hosted) -> list[JsonObject]:
        """Only Gemini's own go back: another vendor's call is told by the text that follows it."""
        if ORIGIN not in hosted.extra and (hosted.result is None or hosted.result.raw_dialect != ORIGIN):
            self.notes.append(dropped(f"messages[].{hosted.tool}", "a hosted call of another vendor"))
            return []
        return hosted_parts(hosted, [for_provider((seal,), self._caps) for seal in hosted.seals])

    def _call(self, call: ToolCall) -> JsonObject:
        name = self._names.sent(call.name, call.namespace)
        self._called[call.call_id] = name
        body: JsonObject = {"id": call.call_id} if self._caps.call_ids else {}
        text = wrap_input(call.input) if call.input_kind == "text" else call.input or NO_ARGUMENTS
        return {"functionCall": {**body, "name": name, "args": self._arguments(text)}}

    def _arguments(self, text: str) -> Json:
        arguments, fit = arguments_object(text)
        if fit == "text":
            self.notes.append(converted("tool calls", "arguments that are not JSON, sent under `_raw`"))
        elif fit == "value":
            self.notes.append(converted("tool calls", "arguments that are not an object, sent under `value`"))
        return arguments

    def _media(self, media: Media) -> JsonObject:
        caps = self._caps
        accepted, by_url = {
            "image": (caps.image_mimes, caps.image_url),
            "document": (caps.document_mimes, caps.document_url),
            "audio": (caps.audio_mimes, caps.video_url),
            "video": (caps.video_mimes, caps.video_url),
        }[media.kind]
        source = media.source
        if not accepted:
            raise unsupported(f"This model takes no {media.kind} input", param="contents")
        if isinstance(source, Inline) and not matches(source.mime, accepted):
            if source.mime.startswith("text/"):
                return self._as_text(media, source)
            raise unsupported(
                f"This model takes {media.kind} input as {', '.join(accepted)}, not {source.mime}",
                param="contents",
            )
        if isinstance(source, Url) and not by_url and not is_video_site(source.url):
            raise unsupported(f"This model takes no {media.kind} by URL", param="contents")
        if isinstance(source, FileRef) and source.origin != ORIGIN:
            raise unsupported(
                f"The file {source.ref!r} lives at {source.origin}, not at Google", param="contents"
            )
        if media.title and "displayName" not in media.extra.get("gemini", {}):
            self.notes.append(dropped("messages[].title", "a file's name is not supported by gemini"))
        return media_part(media, resolution=caps.thinking == "level")

    def _as_text(self, media: Media, source: Inline) -> JsonObject:
        """A text file for a model that takes only PDF as a document."""
        try:
            text = base64.b64decode(source.base64, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError) as error:
            raise unsupported(
                f"The base64 data of a {source.mime} file is malformed", param="contents"
            ) from error
        self.notes.append(converted("messages[].file", "a text file became text"))
        return {"text": f"[{media.title or source.mime}]\n{text}"}


def _start_of_current_turn(turns: tuple[Turn, ...]) -> int:
    """The place of the last turn in which the user said something."""
    for place in range(len(turns) - 1, 0, -1):
        if turns[place].role == "user":
            return place
    return 0


def _reminder(text: str) -> str:
    return f"<system-reminder>\n{text}\n</system-reminder>"
