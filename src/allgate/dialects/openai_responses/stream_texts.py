"""The items of an answer that are texts while they stream: messages and reasoning."""

from allgate.dialects.openai_responses import answer_items as items
from allgate.dialects.openai_responses.annotations import encode_annotation
from allgate.dialects.openai_responses.answer import Answer
from allgate.dialects.openai_responses.frames import DeltaFrame, FrameWriter
from allgate.operations.chat.events import Delta
from allgate.operations.chat.parts import Part, Refusal, Text, Thinking
from allgate.wire.json import JsonObject


class MessageItem:
    """Texts and refusals of one message. `pieces` writes those of the open one."""

    __slots__ = (
        "_annotations",
        "_answer",
        "_first",
        "_frames",
        "_id",
        "_parts",
        "_place",
        "pieces",
    )

    def __init__(
        self, item_id: str, output_index: int, frames: FrameWriter, answer: Answer, first: Text | Refusal
    ) -> None:
        self._id = item_id
        self._frames = frames
        self._answer = answer
        self._parts: list[Text | Refusal] = []
        self._first = first
        self._annotations = 0
        self._place: JsonObject = {"item_id": item_id, "output_index": output_index}
        self.pieces: DeltaFrame | None = None

    def start(self) -> JsonObject:
        return {**items.message(self._id, [self._first], self._answer, "in_progress"), "content": []}

    def open(self, part: Part) -> bytes:
        assert isinstance(part, (Text, Refusal)), "a message holds texts and refusals"
        self._annotations = 0
        self._place = {**self._place, "content_index": len(self._parts)}
        if isinstance(part, Refusal):
            self.pieces = DeltaFrame(self._frames, "response.refusal.delta", self._place)
        else:
            self.pieces = DeltaFrame(
                self._frames, "response.output_text.delta", self._place, {"logprobs": []}
            )
        empty = items.content_part(part, self._answer)
        return self._frames.frame("response.content_part.added", {**self._place, "part": empty})

    def delta(self, event: Delta) -> bytes:
        assert self.pieces is not None, "a part opens before its pieces"
        if event.channel == "text" or event.channel == "refusal":
            return self.pieces.of(event.text)
        if event.channel == "logprobs":
            said = {**self._place, "delta": "", "logprobs": event.logprobs}
            return self._frames.frame("response.output_text.delta", said)
        if event.channel == "annotation" and event.annotation is not None:
            annotation = encode_annotation(event.annotation, self.pieces.length)
            if annotation is not None:
                index, self._annotations = self._annotations, self._annotations + 1
                said = {**self._place, "annotation_index": index, "annotation": annotation}
                return self._frames.frame("response.output_text.annotation.added", said)
        return b""

    def close(self, part: Part) -> bytes:
        assert isinstance(part, (Text, Refusal)), "a message holds texts and refusals"
        self._parts.append(part)
        done = items.content_part(part, self._answer)
        if isinstance(part, Refusal):
            said = self._frames.frame("response.refusal.done", {**self._place, "refusal": part.text})
        else:
            told = {"text": part.text, "logprobs": done["logprobs"]}
            said = self._frames.frame("response.output_text.done", {**self._place, **told})
        return said + self._frames.frame("response.content_part.done", {**self._place, "part": done})

    def item(self, status: str) -> JsonObject:
        return items.message(self._id, self._parts, self._answer, status)


class ReasoningItem:
    """Thinking: as paragraphs of a summary, or as the model's own words.

    A client that asked for a summary gets the model's own words as one, because that is where it looks for them.
    """

    __slots__ = (
        "_answer",
        "_delta",
        "_frames",
        "_id",
        "_paragraph",
        "_place",
        "_segment",
        "_thinking",
        "_words",
    )

    def __init__(self, item_id: str, output_index: int, frames: FrameWriter, answer: Answer) -> None:
        self._id = item_id
        self._frames = frames
        self._answer = answer
        self._place: JsonObject = {"item_id": item_id, "output_index": output_index}
        self._segment: int | None = None
        self._paragraph: list[str] = []
        self._words: list[str] = []
        self._delta: DeltaFrame | None = None
        self._thinking = Thinking(form="hidden")

    def start(self) -> JsonObject:
        return {"id": self._id, "type": "reasoning", "summary": []}

    def open(self, _part: Part) -> bytes:
        return b""

    def delta(self, event: Delta) -> bytes:
        if event.channel == "summary" or (event.channel == "thinking" and self._answer.summary_wanted):
            segment = event.segment if event.channel == "summary" else 0
            begun = (
                b"" if segment == self._segment else self._end_paragraph() + self._begin_paragraph(segment)
            )
            self._paragraph.append(event.text)
            return begun + self._piece(event.text)
        if event.channel == "thinking" and event.text:
            begun = b"" if self._words else self._begin_words()
            self._words.append(event.text)
            return begun + self._piece(event.text)
        return b""

    def _piece(self, text: str) -> bytes:
        return self._delta.of(text) if self._delta and text else b""

    def _begin_paragraph(self, segment: int) -> bytes:
        self._segment = segment
        place = {**self._place, "summary_index": segment}
        self._delta = DeltaFrame(self._frames, "response.reasoning_summary_text.delta", place)
        part = {"type": "summary_text", "text": ""}
        return self._frames.frame("response.reasoning_summary_part.added", {**place, "part": part})

    def _end_paragraph(self) -> bytes:
        if self._segment is None:
            return b""
        place = {**self._place, "summary_index": self._segment}
        text = "".join(self._paragraph)
        self._segment, self._paragraph = None, []
        done = self._frames.frame("response.reasoning_summary_text.done", {**place, "text": text})
        part = {"type": "summary_text", "text": text}
        return done + self._frames.frame("response.reasoning_summary_part.done", {**place, "part": part})

    def _begin_words(self) -> bytes:
        place = {**self._place, "content_index": 0}
        self._delta = DeltaFrame(self._frames, "response.reasoning_text.delta", place)
        part = {"type": "reasoning_text", "text": ""}
        return self._frames.frame("response.content_part.added", {**place, "part": part})

    def _end_words(self) -> bytes:
        if not self._words:
            return b""
        place = {**self._place, "content_index": 0}
        text = "".join(self._words)
        done = self._frames.frame("response.reasoning_text.done", {**place, "text": text})
        part = {"type": "reasoning_text", "text": text}
        return done + self._frames.frame("response.content_part.done", {**place, "part": part})

    def close(self, part: Part) -> bytes:
        assert isinstance(part, Thinking), "a reasoning item holds thinking"
        self._thinking = part
        return self._end_paragraph() + self._end_words()

    def item(self, _status: str) -> JsonObject:
        return items.reasoning(self._id, self._thinking, self._answer)
