"""Prompt-cache breakpoints that the gateway sets itself, where the operator's cache policy says so.

A client that knows the vendor marks what is to be kept; one that speaks another format cannot, and pays ten times as
much for the same words each turn. So one mark goes on the end of the system prompt, which covers the tools before it, and by the
policy `conversation` one on the last user turn: the next request begins with all of this one. Two marks at most, of the four
that the vendor takes, and none where the client set one itself: it knows better.

Works on the bytes of a finished body, a client's own as well as one of our encoder: nothing but the marks changes.
Facts: seed 000 §2.7.5; documentation excerpts of prompt caching (wire-format notes §3.15).
"""

import msgspec

from allgate.dialects.anthropic.cache_marks import MARK
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, added
from allgate.wire.span import set_member

CACHED_BYTES_MIN = 4_096
"""The vendor keeps nothing shorter than 1,024 to 4,096 tokens, by model, and a token is seldom under four bytes."""

_MARKED = b'"cache_control":{"type":"ephemeral"}'
_NAMED = MARK.encode()
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


def auto_marked(body: bytes, caps: Caps) -> tuple[bytes, tuple[Note, ...]]:
    """`body` with the marks that the policy of `caps` asks for, and a note of each."""
    if caps.cache_policy == "client" or caps.cache != "explicit" or _NAMED in body:
        return body, ()
    if len(body) < CACHED_BYTES_MIN:
        return body, ()
    try:
        return _marked_body(body, conversation=caps.cache_policy == "conversation")
    except (msgspec.DecodeError, ValueError, RecursionError):
        return body, ()  # half an emoji in it: not worth reading it twice


def _marked_body(body: bytes, *, conversation: bool) -> tuple[bytes, tuple[Note, ...]]:
    members = _members(body)
    notes: list[Note] = []
    prefix = len(bytes(members.get("tools", b""))) + len(bytes(members.get("system", b"")))
    if prefix >= CACHED_BYTES_MIN and (system := _content(members.get("system"))) is not None:
        body = set_member(body, "system", system)
        notes.append(added(MARK, "on the system prompt, by the cache policy"))
    if conversation and (messages := _conversation(members.get("messages"))) is not None:
        body = set_member(body, "messages", messages)
        notes.append(added(MARK, "on the last user turn, by the cache policy"))
    return body, tuple(notes)


def _content(raw: msgspec.Raw | None) -> bytes | None:
    """A text or a list of blocks with a mark on its end; None where there is nothing to mark."""
    text = b"" if raw is None else bytes(raw)
    if text.startswith(b'"') and text != b'""':
        return b'[{"type":"text","text":%b,%b}]' % (text, _MARKED)
    blocks = _items(text) if text.startswith(b"[") else []
    last = bytes(blocks[-1]) if blocks else b""
    if not _takes_mark(last):
        return None
    end = text.rindex(b"}")
    return b"%b,%b%b" % (text[:end], _MARKED, text[end:])


def _takes_mark(block: bytes) -> bool:
    """Every block of a user or a system does, but an empty text."""
    if not block.startswith(b"{"):
        return False
    members = _members(block)
    return bool(members) and bytes(members.get("text", b"")) != b'""'


def _conversation(raw: msgspec.Raw | None) -> bytes | None:
    """The messages with a mark on the last, if it is the user's."""
    text = b"" if raw is None else bytes(raw)
    messages = _items(text) if text.startswith(b"[") else []
    if not messages:
        return None
    last = bytes(messages[-1])
    members = _members(last) if last.startswith(b"{") else {}
    content = _content(members.get("content"))
    if content is None or bytes(members.get("role", b"")) != b'"user"':
        return None
    start = text.rindex(last)
    return b"".join((text[:start], set_member(last, "content", content), text[start + len(last) :]))
