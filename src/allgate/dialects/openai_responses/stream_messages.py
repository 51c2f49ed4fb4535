"""The messages of a stream while they arrive: texts with citations and log probabilities, and refusals."""

from allgate.core.value import changed
from allgate.dialects.openai_responses.annotations import decode_annotation
from allgate.dialects.openai_responses.output_decode import content_part, message_extra
from allgate.dialects.openai_responses.stream_frames import Frame
from allgate.dialects.passes.lenient import text_or_none
from allgate.dialects.passes.sequencer import PartSequencer
from allgate.operations.chat.parts import Part, Refusal, Text
from allgate.wire.json import JsonObject

Key = tuple[int, int]
"""(output index, content index)"""

_NO_TEXT, _NO_REFUSAL = Text(text=""), Refusal(text="")


class StreamMessages:
    """Message parts by key, on their way into the sequencer. `kinds`: of the parts that opened; `latest`: the text that was
    added to last, while it is open."""

    __slots__ = ("_annotated", "_contents", "_logged", "_sequencer", "kinds", "latest")

    def __init__(self, sequencer: PartSequencer) -> None:
        self._sequencer = sequencer
        self._contents: dict[int, list[int]] = {}  # output index → content indexes that were told
        self._annotated: dict[Key, int] = {}
        self._logged: set[Key] = set()
        self.latest: Key | None = None
        self.kinds: set[type[Part]] = set()

    @property
    def indexes(self) -> tuple[int, ...]:
        """The output indexes of the messages so far."""
        return tuple(self._contents)

    def piece(self, kind: str, frame: Frame, item: JsonObject) -> None:
        """A delta, an annotation, or the announcement of a part. `item` is the message as it was announced."""
        if kind.endswith("content_part.added"):
            part = frame.part or {}
            if part.get("type") in ("output_text", "refusal"):
                self._key(frame, item, _NO_REFUSAL if part["type"] == "refusal" else _NO_TEXT)
            return
        key = self._key(frame, item, _NO_REFUSAL if kind.endswith("refusal.delta") else _NO_TEXT)
        if frame.delta:
            self._sequencer.append_text(key, frame.delta)
        if frame.logprobs:
            self._logged.add(key)
            self._sequencer.append(key, "logprobs", logprobs=frame.logprobs)
        if frame.annotation is not None:
            self._annotated[key] = self._annotated.get(key, 0) + 1
            self._sequencer.append(key, "annotation", annotation=decode_annotation(frame.annotation))

    def _key(self, frame: Frame, item: JsonObject, skeleton: Text | Refusal) -> Key:
        """The key of a content part, which opens if it is new."""
        key = (frame.output_index, frame.content_index)
        contents = self._contents.setdefault(frame.output_index, [])
        if frame.content_index not in contents:
            item_id = text_or_none(item.get("id")) or frame.item_id or None
            extra = {} if contents else message_extra(item)
            contents.append(frame.content_index)
            self._open(key, changed(skeleton, id=item_id, extra=extra))
        self.latest = key if isinstance(skeleton, Text) else None
        return key

    def _open(self, key: Key, skeleton: Text | Refusal) -> None:
        self.kinds.add(type(skeleton))
        self._sequencer.open(key, skeleton)

    def content_done(self, frame: Frame, item: JsonObject) -> None:
        """A content part was told whole. (Of a reasoning item: the item tells it again.)"""
        part = frame.part or {}
        if part.get("type") in ("output_text", "refusal"):
            final = content_part(part, None, {})
            self._close(
                self._key(frame, item, _NO_REFUSAL if isinstance(final, Refusal) else _NO_TEXT), final
            )

    def item_done(self, index: int, parts: tuple[Part, ...]) -> None:
        """A message was told whole: close what is open, and tell what no frame told."""
        contents = self._contents.setdefault(index, [])
        for place, part in enumerate(parts):
            if not isinstance(part, (Text, Refusal)):
                continue
            if place not in contents:
                contents.append(place)
                empty = _NO_REFUSAL if isinstance(part, Refusal) else _NO_TEXT
                self._open((index, place), changed(empty, id=part.id, extra=part.extra))
            self._close((index, place), part)
        for place in contents:
            self._sequencer.close((index, place))
        self.latest = None

    def _close(self, key: Key, final: Text | Refusal) -> None:
        """Close a part with its whole value, after sending what no piece brought."""
        opened = self._sequencer.skeleton(key)
        if opened is None:
            return
        told = self._sequencer.text(key)
        if not final.text.startswith(told):
            final = changed(final, text=told)
        elif len(final.text) > len(told):
            self._sequencer.append_text(key, final.text[len(told) :])
        final = changed(final, id=opened.id, extra=opened.extra)
        if isinstance(final, Text):
            self._tell_late(key, final)
        self._sequencer.close(key, final)
        self.latest = None

    def _tell_late(self, key: Key, final: Text) -> None:
        """Citations and log probabilities that only the whole part holds."""
        for annotation in final.annotations[self._annotated.get(key, 0) :]:
            self._sequencer.append(key, "annotation", annotation=annotation)
        if final.logprobs and key not in self._logged:
            self._sequencer.append(key, "logprobs", logprobs=final.logprobs)
