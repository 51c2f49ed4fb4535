"""Turns → messages.

What chat cannot say where another dialect can: pictures in a tool's answer or from the assistant (they move to a user
message behind, with a label), sections of a turn in another order than thinking, text, calls; hosted calls (their
answer's text stays, the call itself is noted).
"""

from allgate.dialects.openai_chat.content_encode import encode_content, encode_part, encode_text
from allgate.dialects.openai_chat.details import CLIENT_SCOPE, details_of_seal
from allgate.dialects.openai_chat.own import NAME, VENDOR, own
from allgate.dialects.passes.call_ids import exact_call_id, fitting_call_id
from allgate.dialects.passes.custom_tools import wrap_input
from allgate.dialects.passes.lenient import objects_of
from allgate.dialects.passes.tool_names import ToolNames
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, added, converted, dropped
from allgate.operations.chat.parts import (
    FileRef,
    Media,
    Part,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

CALL_ID = r"[!-~]+"
CALL_ID_CHARACTERS_MAX = 40
"""OpenAI answered longer ones with "string too long"; every vendor's own ids are shorter."""

_CONTINUE = "Continue exactly from where the previous message stopped."
_FROM_ASSISTANT = "[image produced by the assistant above]"


class MessageEncoder:
    """Builds the messages of one request."""

    def __init__(self, request: ChatRequest, caps: Caps, names: ToolNames, notes: list[Note]) -> None:
        self._request = request
        self._caps = caps
        self._names = names
        self._notes = notes
        self._pictures: list[Media] = []  # of the assistant, until the next user message

    def messages(self, system: str) -> list[JsonObject]:
        """All messages. `system` is further instruction of ours, behind the client's own."""
        found = self._system(system)
        turns = self._request.turns
        loop_start = -1
        for place, turn in enumerate(turns):
            if turn.role == "user":
                loop_start = place
        for place, turn in enumerate(turns):
            path = f"messages[{place}]"
            match turn.role:
                case "assistant":
                    found.append(self._assistant(turn, path, in_loop=place > loop_start))
                case "tool":
                    found += self._results(turn, path)
                case "user":
                    found.append(self._user(turn, path))
                case "system" | "developer":
                    found.append(self._later_system(turn, path))
        if self._pictures or (turns and turns[-1].role == "assistant"):
            found += self._ending()
        return found

    def _system(self, further: str) -> list[JsonObject]:
        texts = self._request.system
        if further:
            texts = (*texts, Text(text=further))
        if not texts:
            return []
        content = encode_text(texts, "system", self._caps, self._notes, separator="\n\n")
        return [{"role": self._caps.system_role, "content": content}]

    def _later_system(self, turn: Turn, path: str) -> JsonObject:
        """An instruction in mid-conversation stays at its place; hoisting it would change its meaning."""
        content = encode_content(turn.parts, path, self._caps, self._notes)
        if self._caps.mid_system:
            return {
                **own(turn.extra),
                "role": self._caps.system_role,
                "content": content,
                **self._named(turn),
            }
        self._notes.append(converted(path, "an instruction in mid-conversation became user text"))
        text = content if isinstance(content, str) else "\n\n".join(part.get("text", "") for part in content)
        return {"role": "user", "content": f"<system-reminder>\n{text}\n</system-reminder>"}

    def _user(self, turn: Turn, path: str) -> JsonObject:
        parts = [*self._labelled(), *turn.parts] if self._pictures else turn.parts
        content = encode_content(parts, f"{path}.content", self._caps, self._notes)
        message: JsonObject = {"role": "user", "content": content}
        if turn.extra or turn.name is not None:
            message = {**own(turn.extra), **message, **self._named(turn)}
        return message

    def _assistant(self, turn: Turn, path: str, *, in_loop: bool) -> JsonObject:
        calls = [part for part in turn.parts if isinstance(part, ToolCall)]
        thoughts = [part for part in turn.parts if isinstance(part, Thinking)]
        spoken: list[Part] = []
        heard: JsonObject = {}
        for part in turn.parts:
            if isinstance(part, Media) and part.kind == "audio":
                heard = self._heard(part, path)
            elif isinstance(part, Media):
                self._pictures.append(part)
            elif not isinstance(part, (ToolCall, Thinking)):
                spoken.append(part)
        kept = {key: value for key, value in own(turn.extra).items() if key != "reasoning_details"}
        message: JsonObject = {**kept, "role": "assistant"}
        message["content"] = self._said(spoken, f"{path}.content") or (None if calls else "")
        written = objects_of(own(turn.extra).get("reasoning_details"))
        message |= self._thought(thoughts, written, path, in_loop=in_loop) | self._named(turn) | heard
        if calls:
            message["tool_calls"] = [self._call(call) for call in calls]
        if any(not self._carries(part, seal) for part in turn.parts for seal in part.seals):
            self._notes.append(dropped(f"{path}.signature", "sealed by another provider"))
        return message

    def _heard(self, sound: Media, path: str) -> JsonObject:
        """What the assistant said aloud: by its id, where the provider keeps it."""
        if (
            isinstance(sound.source, FileRef)
            and sound.source.origin == VENDOR
            and "audio" in self._caps.modalities_out
        ):
            return {"audio": {"id": sound.source.ref}}
        self._notes.append(dropped(f"{path}.audio", "this model cannot hear the assistant's earlier sound"))
        return {}

    def _said(self, parts: list[Part], path: str) -> Json:
        """Assistant content: text as one string (many servers take nothing else), beside a refusal as parts."""
        kept = [part for part in parts if isinstance(part, (Text, Refusal))]
        for part in parts:
            if part not in kept:
                encode_part(part, path, self._caps, self._notes)  # notes what it is
        if any(isinstance(part, Refusal) for part in kept):
            return encode_content(kept, path, self._caps, self._notes)
        return "".join(part.text for part in kept)

    def _thought(
        self, thoughts: list[Thinking], written: list[JsonObject], path: str, *, in_loop: bool
    ) -> JsonObject:
        """Earlier reasoning, for vendors that must get it back; nothing for the others.

        `written`: `reasoning_details` as the client itself wrote them, for a provider that takes that member.
        """
        found: JsonObject = {}
        details = [
            entry
            for thought in thoughts
            for seal in thought.seals
            if self._fits(seal)
            for entry in details_of_seal(seal)
        ]
        if "reasoning_details" in self._caps.vendor_fields:
            details += written
        if details:
            found["reasoning_details"] = details
        replay = self._caps.reasoning_replay
        text = "\n\n".join(thought.text for thought in thoughts if thought.text)
        if text and (replay == "all" or (replay == "last_turn" and in_loop)):
            found[self._caps.reasoning_field] = text
        elif text and not details:
            self._notes.append(dropped(f"{path}.reasoning", "earlier reasoning is not sent to this model"))
        return found

    def _fits(self, seal: Seal) -> bool:
        origin = self._caps.seal_origin
        return bool(origin) and seal.origin == origin and seal.scope in (self._caps.seal_scope, CLIENT_SCOPE)

    def _carries(self, part: Part, seal: Seal) -> bool:
        """Whether a seal finds its place: reasoning in `reasoning_details`, a call's beside the call."""
        if not self._fits(seal):
            return False
        if isinstance(part, Thinking):
            return bool(details_of_seal(seal))
        return isinstance(part, ToolCall) and seal.origin == "gemini"

    def _call(self, call: ToolCall) -> JsonObject:
        name = self._names.sent(call.name, call.namespace)
        wire: JsonObject = {"id": self._call_id(call.call_id)}
        if call.input_kind == "text" and self._caps.custom_tools:
            wire |= {"type": "custom", "custom": {"name": name, "input": call.input}}
        else:
            arguments = wrap_input(call.input) if call.input_kind == "text" else call.input or "{}"
            wire |= {"type": "function", "function": {"name": name, "arguments": arguments}}
        for seal in call.seals:
            if seal.origin == "gemini" and self._fits(seal):
                wire["extra_content"] = {"google": {"thought_signature": seal.value}}
        return wire

    def _call_id(self, call_id: str) -> str:
        exact = self._caps.call_id_characters
        if exact is not None:
            return exact_call_id(call_id, exact)
        return fitting_call_id(call_id, CALL_ID, CALL_ID_CHARACTERS_MAX)

    def _results(self, turn: Turn, path: str) -> list[JsonObject]:
        """One message per result, directly behind the calls; their pictures in a user message behind all of them."""
        found: list[JsonObject] = []
        aside: list[Part] = []
        for place, part in enumerate(turn.parts):
            if not isinstance(part, ToolResult):
                continue
            call_id = self._call_id(part.call_id)
            inner: list[Part] = list(part.parts)
            if not self._caps.tool_images:
                media = [piece for piece in inner if isinstance(piece, Media)]
                inner = [piece for piece in inner if not isinstance(piece, Media)]
                if media:
                    aside += [Text(text=f"[media of tool result {call_id}]"), *media]
            found.append(
                {
                    **own(turn.extra),
                    "role": "tool",
                    "tool_call_id": call_id,
                    "content": self._result_text(part, inner, f"{path}[{place}]"),
                }
            )
        if aside:
            self._notes.append(converted(f"{path}.content", "media of tool results moved to a user message"))
            found.append({"role": "user", "content": encode_content(aside, path, self._caps, self._notes)})
        return found

    def _result_text(self, result: ToolResult, parts: list[Part], path: str) -> Json:
        """Text as one string. A result that is only structured is its JSON; an error says so in its text."""
        if not parts and result.structured is not None:
            return json.encode_text(result.structured)
        content = encode_text(parts, f"{path}.content", self._caps, self._notes, separator="\n")
        if result.is_error and isinstance(content, str) and not content.lower().startswith(("error", "[")):
            content = f"Error: {content}" if content else "Error"
        return content

    def _labelled(self) -> list[Part]:
        """The assistant's pictures at the head of the user message behind it: chat has no place before."""
        pictures, self._pictures = self._pictures, []
        parts: list[Part] = []
        for picture in pictures:
            parts += [Text(text=_FROM_ASSISTANT), picture]
        if parts:
            self._notes.append(
                converted("messages", "pictures of the assistant moved to the next user message")
            )
        return parts

    def _ending(self) -> list[JsonObject]:
        """A conversation that ends with the assistant is to be continued, which chat can only ask for in words."""
        turns = self._request.turns
        last_is_assistant = bool(turns) and turns[-1].role == "assistant"
        parts = self._labelled()
        if last_is_assistant and not self._caps.prefill:
            self._notes.append(added("messages", "asked to continue the assistant's last message"))
            parts.append(Text(text=_CONTINUE))
        if not parts:
            return []
        return [{"role": "user", "content": encode_content(parts, "messages", self._caps, self._notes)}]

    def _named(self, turn: Turn) -> JsonObject:
        if turn.name is None:
            return {}
        if not self._caps.names:
            self._notes.append(dropped("messages.name", f"no speaker names in this {NAME} deployment"))
            return {}
        return {"name": turn.name}
