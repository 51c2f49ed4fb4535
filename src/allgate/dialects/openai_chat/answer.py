"""One choice in the making: deltas in, events out. A whole message is one large delta, so both are read here, and a
streamed answer folds to the same value as the unary one.

Kinds follow each other as thinking, text, refusal, pictures, sound, calls; each change closes what was open, and what
resumes later is a new part. What comes behind a call whose arguments are not complete waits in the sequencer.
"""

from collections.abc import Callable
from typing import Literal

from allgate.dialects.contract import Sent
from allgate.dialects.openai_chat.annotations import annotation_of
from allgate.dialects.openai_chat.calls import Calls
from allgate.dialects.openai_chat.chunks import Audio, CallPiece, ChunkChoice, Message
from allgate.dialects.openai_chat.details import Details, text_of_details
from allgate.dialects.openai_chat.finish import finish_of
from allgate.dialects.openai_chat.media import AudioJoin, audio_mime, kind_of_source, source_of
from allgate.dialects.passes.legacy_logprobs import entries_of_legacy
from allgate.dialects.passes.lenient import list_of, object_of, text_of
from allgate.dialects.passes.sequencer import PartSequencer
from allgate.dialects.passes.think_tags import ThinkTags
from allgate.operations.chat.events import Event, Finished
from allgate.operations.chat.parts import Annotation, Inline, Media, Refusal, Seal, Text, Thinking
from allgate.wire.json import JsonObject

Kind = Literal["text", "thinking", "refusal", "audio", "call", "none"]
_EMPTY: dict[Kind, Text | Thinking | Refusal] = {
    "text": Text(text=""),
    "thinking": Thinking(),
    "refusal": Refusal(text=""),
}


Voice = Callable[[Kind, str], None]
"""Takes (kind, piece)."""


class Answer:
    """Reads the deltas of one choice into `events`."""

    __slots__ = (
        "_audio", "_calls", "_cites", "_details", "_index", "_kind", "_parts", "_refused", "_refused_logprobs",
        "_salt", "_sent", "_tags", "_text_before", "native", "voice",
    )  # fmt: skip

    def __init__(self, events: list[Event], index: int, sent: Sent, salt: str) -> None:
        caps = sent.caps
        self._index = index
        self._sent = sent
        self._parts = PartSequencer(events, index)
        self._calls: Calls | None = None  # most answers have none
        self._salt = salt
        self._kind: Kind = "none"
        self._tags = ThinkTags(open_implicit=caps.think_open_implicit) if caps.think_tags else None
        self._details: Details | None = None
        self._audio: AudioJoin | None = None
        self._cites = False
        self._text_before = 0  # code points of text parts that were closed: citations count from the first
        self._refused = False
        self._refused_logprobs: list[JsonObject] = []
        self.voice: Voice | None = (
            None  # while a text is open in which no tags are looked for: what takes more of it
        )
        self.native = ""  # the last finish_reason; empty: not finished

    def take(self, choice: ChunkChoice) -> None:
        """A chunk's view of this choice. Raises: WireError: a limit was passed."""
        delta = choice.delta or choice.message
        if delta is not None:
            text = delta.content
            if text and self._kind == "text" and self._tags is None and delta == Message(content=text):
                self._parts.append_text("text", text)  # the ordinary piece: nothing else stands beside it
            else:
                self._take(delta)
        elif choice.text:
            self._say_content(choice.text)
        if choice.logprobs:
            self._take_logprobs(choice.logprobs)
        if choice.finish_reason:
            self.native = choice.finish_reason

    def cite_pages(self, pages: list[Annotation]) -> None:
        """Pages that the reply names beside its choices; they count where it cites nothing itself."""
        if self._kind == "text" and not self._cites:
            for page in pages:
                self._cite(page)

    def finish(self) -> Finished:
        """Close what is open. The finish is said by the caller, after all choices are closed."""
        if self._tags:
            for kind, piece in self._tags.close():
                self._say(kind, piece)
        self._switch("none")
        if self._calls or self._details:
            self._close_rest()
        return Finished(
            finish=finish_of(self.native, called=self._calls is not None, refused=self._refused),
            choice=self._index,
            logprobs={"refusal": self._refused_logprobs} if self._refused_logprobs else None,
        )

    def _close_rest(self) -> None:
        """Calls that could have gone on, and what was sealed without a word to read."""
        if self._calls:
            self._calls.close_all()
        if seal := self._detail_seal():
            self._parts.open("hidden", Thinking(form="hidden"))
            self._parts.append("hidden", "seal", seal=seal)
        self._parts.close_all()

    def _take(self, delta: Message) -> None:
        details = delta.reasoning_details
        thinking = delta.reasoning_content or delta.reasoning or delta.thinking
        if thinking or (details and (thinking := text_of_details(details))):
            self._say("thinking", thinking)
        if details and self._sent.caps.seal_origin:
            self._details = self._details or Details()
            self._details.take(details)
        if delta.content:
            self._say_content(delta.content)
        if delta.refusal:
            self._refused = True
            self._say("refusal", delta.refusal)
        for annotation in delta.annotations or ():
            self._cite(annotation_of(annotation, self._text_before))
        for image in delta.images or ():
            self._show(image)
        if delta.audio is not None:
            self._sound(delta.audio)
        for piece in delta.tool_calls or ():
            self._call(piece)
        if delta.function_call is not None:
            self._call(CallPiece(index=-1, function=delta.function_call))

    def _say_content(self, content: str) -> None:
        if self._tags is None:
            self._say("text", content)
            return
        for kind, piece in self._tags.feed(content):
            self._say(kind, piece)

    def _say(self, kind: Kind, text: str) -> None:
        if self._kind != kind:
            self._switch(kind)
        self._parts.append_text(kind, text)

    def _switch(self, kind: Kind) -> None:
        """Close what is open and, for the kinds that collect text, open the next part."""
        match self._kind:
            case "text":
                self._text_before += len(self._parts.text("text"))
            case "thinking":
                if seal := self._detail_seal():
                    self._parts.append("thinking", "seal", seal=seal)
            case "audio" if self._audio:
                self._parts.append_text("audio", self._audio.close())
            case "call" if self._calls:
                self._calls.close_complete()
            case _:
                pass
        if self._kind != "none":
            self._parts.close(self._kind)
        self._kind = kind
        self.voice = self._parts.append_text if kind == "text" and self._tags is None else None
        if kind in _EMPTY:
            self._parts.open(kind, _EMPTY[kind])

    def _detail_seal(self) -> Seal | None:
        caps = self._sent.caps
        return self._details.seal(caps.seal_origin, caps.seal_scope) if self._details else None

    def _call(self, piece: CallPiece) -> None:
        calls = self._calls
        if calls is None:
            calls = self._calls = Calls(self._parts, self._sent, f"{self._salt}/{self._index}")
        elif calls.goes_on(piece):
            return
        if calls.is_new(piece):
            self._switch("call")
        calls.take(piece)

    def _show(self, image: JsonObject) -> None:
        """A picture comes whole: `{type: "image_url", image_url: {url}}`."""
        url = text_of(object_of(image.get("image_url")).get("url")) or text_of(image.get("url"))
        if not url:
            return
        source = source_of(url)
        whole = Media(kind=kind_of_source(source, "image"), source=source)
        opened = Inline(mime=source.mime, base64="") if isinstance(source, Inline) else source
        self._switch("none")
        self._parts.open("image", Media(kind=whole.kind, source=opened))
        self._parts.close("image", whole)

    def _cite(self, annotation: Annotation) -> None:
        if self._kind != "text":
            self._switch("text")
        self._cites = True
        self._parts.append("text", "annotation", annotation=annotation)

    def _sound(self, audio: Audio) -> None:
        if self._kind != "audio":
            if not (audio.id or audio.data or audio.transcript):
                return
            self._switch("audio")
            self._audio = AudioJoin()
            wanted = self._sent.request.audio_out
            mime = audio_mime(wanted.format if wanted else None)
            self._parts.open("audio", Media(kind="audio", source=Inline(mime=mime, base64=""), id=audio.id))
        if audio.transcript:
            self._parts.append("audio", "transcript", audio.transcript)
        if audio.data and self._audio:
            self._parts.append_text("audio", self._audio.feed(audio.data))

    def _take_logprobs(self, logprobs: JsonObject) -> None:
        entries = list_of(logprobs.get("content")) or entries_of_legacy(logprobs)
        if entries and self._kind == "text":
            self._parts.append("text", "logprobs", logprobs=entries)
        self._refused_logprobs += list_of(logprobs.get("refusal"))
