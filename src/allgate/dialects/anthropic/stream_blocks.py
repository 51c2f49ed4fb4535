"""The blocks of a streamed answer: starts, pieces and stops in, parts out.

Blocks come one after another, so nearly every piece belongs to the open part; the sequencer is there for the rest:

- A provider-run call stays open until its result block comes, for the two are one part; what begins meanwhile (calls
  that a code execution makes) waits behind it.
- Compatible servers leave a start out, or send a piece of another kind than their block has; that opens a part of its
  own (key (index, kind)) instead of being lost.
- A text without content is no part, so a text is opened by its first piece.
"""

from collections.abc import Hashable
from typing import cast

from allgate.core.errors import wire_error
from allgate.core.value import changed
from allgate.dialects.anthropic import hosted
from allgate.dialects.anthropic.pieces import Piece
from allgate.dialects.anthropic.reply_blocks import ReplyReader, whole_input
from allgate.dialects.passes.custom_tools import StreamingUnwrap
from allgate.dialects.passes.lenient import object_of, objects_of, text_of
from allgate.dialects.passes.sequencer import PartSequencer
from allgate.operations.chat.events import Event
from allgate.operations.chat.parts import Hosted, Opaque, Part, Text, Thinking, ToolCall
from allgate.wire.json import Json, JsonObject

BLOCKS_MAX = 10_000
"""Blocks of one answer; a search loop of an hour makes some hundreds. More is a runaway, not an answer."""


class _Block:
    """An open block: its start as it was sent, and what its pieces brought beside text."""

    __slots__ = ("is_open", "kind", "signature", "start", "unwrap", "written")

    def __init__(self, kind: str, start: JsonObject) -> None:
        self.kind = kind
        self.start = start
        self.signature = start.get("signature")
        self.is_open = False  # its part was begun
        self.unwrap: StreamingUnwrap | None = None
        self.written = False  # a piece of input came


class OpenBlocks:
    """Reads blocks into `events`. `text_key`: the open text block's index, for the quick way; -1 where none is open.

    `append_text(index, text)`: more of an open block, the sequencer's own method.
    """

    __slots__ = (
        "_begun", "_blocks", "_count", "_parts", "_reader", "_uses", "append_text", "text_key",
    )  # fmt: skip

    def __init__(self, events: list[Event], reader: ReplyReader) -> None:
        self._reader = reader
        self._parts = PartSequencer(events)
        self.append_text = self._parts.append_text
        self._blocks: dict[int, _Block] = {}
        self._uses: dict[str, tuple[int, int, Hosted]] = {}  # without a result yet: key, parts begun, part
        self._begun = 0
        self._count = 0
        self.text_key = -1

    def start(self, index: int, block: JsonObject) -> None:
        """A block begins. Raises: WireError: too many."""
        self._count += 1
        if self._count > BLOCKS_MAX:
            raise wire_error(f"The answer has more than {BLOCKS_MAX} blocks")
        if index in self._blocks:
            self.stop(index)
        kind = text_of(block.get("type"))
        if hosted.is_result(kind):
            self._result(index, block)
            return
        self._blocks[index] = opened = _Block(kind, block)
        match kind:
            case "text":
                self._start_text(index, opened)
            case "thinking":
                skeleton = changed(self._reader.thinking(block, "", None), form="raw")
                self._begin(index, skeleton, opened)
                if text := text_of(block.get("thinking")):
                    self._parts.append_text(index, text)
            case "tool_use":
                self._start_call(index, opened)
            case "server_tool_use" | "mcp_tool_use":
                self._begin(index, hosted.use_part(block, ""), opened)
            case _:
                pass  # redacted thinking and unknown blocks are told whole, when they stop

    def piece(self, index: int, piece: Piece, raw: JsonObject | None = None) -> None:
        """A piece of a block; `raw` is it as sent where its kind is not known."""
        block = self._blocks.get(index)
        if raw is not None:
            self._unknown_piece(block, raw)
        elif piece.type == "signature_delta" and block is not None:
            block.signature = piece.signature or block.signature
        elif piece.partial_json is not None:
            self._input(index, block, piece.partial_json)
        elif piece.text:
            self._text(index, block, piece.text)
        elif piece.thinking:
            key = self._key(index, block, "thinking", Thinking())
            self._parts.append_text(key, piece.thinking)
        elif piece.citation is not None:
            self._cite(index, block, object_of(piece.citation))

    def stop(self, index: int) -> None:
        """A block is complete; ignored where none is open."""
        block = self._blocks.pop(index, None)
        if index == self.text_key:
            self.text_key = -1
        for kind in ("text", "thinking"):
            self._parts.close((index, kind))
        if block is None:
            return
        match block.kind:
            case "text":
                self._parts.close(index)
            case "thinking":
                self._stop_thinking(index, block)
            case "tool_use":
                self._stop_call(index, block)
            case "server_tool_use" | "mcp_tool_use":
                self._stop_use(index, block)
            case _:
                self._whole(index, block.start)

    def finish(self) -> None:
        """Nothing follows: close what is open. A provider-run call without a result is told without one."""
        for index in list(self._blocks):
            self.stop(index)
        for key, _, part in self._uses.values():
            self._parts.close(key, part)
        self._uses.clear()
        self._parts.close_all()

    def _begin(self, key: Hashable, part: Part, block: _Block | None = None) -> None:
        self._begun += 1
        self._parts.open(key, part)
        if block is not None:
            block.is_open = True

    def _key(self, index: int, block: _Block | None, kind: str, part: Part) -> Hashable:
        """Where a piece of this kind belongs: its block, or a part of its own beside a block of another kind."""
        if block is not None and block.kind == kind:
            return index
        key = (index, kind)
        if self._parts.skeleton(key) is None:
            self._begin(key, part)
        return key

    def _start_text(self, index: int, block: _Block) -> None:
        if text := text_of(block.start.get("text")):
            self._text(index, block, text)
        for citation in objects_of(block.start.get("citations")):
            self._cite(index, block, citation)

    def _text(self, index: int, block: _Block | None, text: str) -> None:
        if block is not None and block.kind == "text" and not block.is_open:
            self._begin(index, self._reader.text(block.start), block)
            self.text_key = index
        self._parts.append_text(self._key(index, block, "text", Text(text="")), text)

    def _cite(self, index: int, block: _Block | None, citation: JsonObject) -> None:
        if block is not None and block.kind == "text" and not block.is_open:
            self._begin(index, self._reader.text(block.start), block)
            self.text_key = index
        key = self._key(index, block, "text", Text(text=""))
        for annotation in self._reader.annotations({"citations": [citation]}):
            self._parts.append(key, "annotation", annotation=annotation)

    def _start_call(self, index: int, block: _Block) -> None:
        call = self._reader.call(block.start)
        self._begin(index, call, block)
        if isinstance(call, ToolCall):
            block.unwrap = StreamingUnwrap() if call.input_kind == "text" else None

    def _input(self, index: int, block: _Block | None, text: str) -> None:
        if block is None or not text:
            return
        block.written = True
        self._parts.append_text(index, block.unwrap.feed(text) if block.unwrap else text)

    def _stop_thinking(self, index: int, block: _Block) -> None:
        seal = self._reader.seal({"signature": block.signature})
        if seal is not None:
            self._parts.append(index, "seal", seal=seal)
        text = self._parts.text(index)
        self._parts.close(index, self._reader.thinking(block.start, text, seal))

    def _stop_call(self, index: int, block: _Block) -> None:
        if not block.written:  # given whole in the start, or a call without arguments
            self._input(index, block, whole_input(block.start))
        if block.unwrap and (rest := block.unwrap.close()):
            self._parts.append_text(index, rest)
        self._parts.close(index)

    def _stop_use(self, index: int, block: _Block) -> None:
        if not block.written:
            self._input(index, block, whole_input(block.start))
        part = hosted.use_part(block.start, self._parts.text(index))
        self._uses[part.call_id] = (index, self._begun, part)

    def _result(self, index: int, block: JsonObject) -> None:
        result = self._reader.result(block)
        use = self._uses.pop(text_of(block.get("tool_use_id")), None)
        if use is None:
            part, key = hosted.result_part(block, result), (index, "result")
            self._begin(key, changed(part, result=None))
        else:
            key, begun, part = use
            part = hosted.joined(part, result, enclosed=self._begun - begun)
        self._parts.append(key, "result", result=result)
        self._parts.close(key, part)

    def _unknown_piece(self, block: _Block | None, raw: JsonObject) -> None:
        """A piece of an unknown block: its texts are appended to the block's own, its other members replace them."""
        if block is None:
            return
        for name, value in raw.items():
            before = block.start.get(name)
            if name == "type" or value is None:
                continue
            if isinstance(before, str) and isinstance(value, str):
                value = before + value
            block.start = {**block.start, name: cast(Json, value)}

    def _whole(self, index: int, block: JsonObject) -> None:
        part = self._reader.part(block)
        key = (index, "whole")
        self._begin(key, changed(part, seals=()) if not isinstance(part, Opaque) else part)
        for seal in part.seals:
            self._parts.append(key, "seal", seal=seal)
        self._parts.close(key, part)
