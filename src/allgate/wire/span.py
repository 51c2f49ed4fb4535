"""Edit a top-level value of a JSON object and leave every other byte as it is.

Pass-through forwards the client's own bytes; only `model` (and a usage switch) changes. Parsing and printing the body
again would cost 100 µs per 100 KB, reorder nothing but change spacing, number spellings and duplicate keys, and so
break prompt caches that hash bytes.

Two ways to the span of a value:
- the quick one: look for `"key"`, from the end. If the bytes occur exactly once in the whole body outside a string, they
  are the top-level key, provided a typed decode has already said that such a key exists there;
- the careful one: walk the tokens with one compiled regular expression, counting depth.
The careful walk is used whenever the quick one finds no single candidate (a nested `"model"`, an escaped key).
"""

import re

import msgspec

from allgate.core.errors import wire_error

# One match per token at C speed: a string with its escapes, a bracket, or a run of anything else.
_TOKEN = re.compile(rb'"(?:[^"\\]+|\\.)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+', re.DOTALL)
_VALUE_SCALAR = re.compile(rb'\s*:\s*("(?:[^"\\]+|\\.)*"|[^\s"{}\[\],]+)', re.DOTALL)

_MEMBER = b'"":0'
_ONLY_MEMBER = b"{" + _MEMBER + b"}"

WINDOW_BYTES = 4096
"""How far from an end the quick way of `renamed_member` looks: scalars stand before or after the messages."""

Span = tuple[int, int]


def set_member(body: bytes, key: str, value: bytes) -> bytes:
    """`body` with the top-level member `key` set to the JSON text `value`; added at the front if it is absent.

    Where the key stands several times (legal, last wins), every value is replaced. Raises: WireError: not an object.

    >>> set_member(b'{ "model": "a", "n": 1.0 }', "model", b'"b"')
    b'{ "model": "b", "n": 1.0 }'
    """
    spans = member_spans(body, key)
    if not spans:
        start = body.index(b"{") + 1
        comma = b"" if body[start:].lstrip()[:1] == b"}" else b","
        return b"".join((body[:start], b'"', key.encode(), b'":', value, comma, body[start:]))
    pieces: list[bytes] = []
    position = 0
    for start, end in spans:
        pieces += (body[position:start], value)
        position = end
    return b"".join((*pieces, body[position:]))


def set_scalar(body: bytes, key: str, value: bytes) -> bytes:
    """Like `set_member`, quick where the key's bytes occur once; the current value must be a scalar known to exist."""
    span = _only_span(body, key)
    if span is None:
        return set_member(body, key, value)
    return b"".join((body[: span[0]], value, body[span[1] :]))


def renamed_member(body: bytes, key: str, name: str) -> bytes:
    """`body` with the top-level member `key`, whose value is a scalar, called `name`; unchanged if absent.

    Quick where the key stands near either end, as scalars do, most of them the far one: what is left of the body on that
    side proves that it is a member of the outermost object. Of a key that stands several times, one may be left. Raises: WireError: not an object.

    >>> renamed_member(b'{ "max_tokens": 5 }', "max_tokens", "limit")
    b'{ "limit": 5 }'
    """
    old, new = b'"%b"' % key.encode(), b'"%b"' % name.encode()
    start = body.rfind(old, -WINDOW_BYTES)
    value = _VALUE_SCALAR.match(body, start + len(old)) if start >= 0 else None
    if value is None or not _is_object(b"{" + _MEMBER + body[value.end() :]):
        start = body.find(old, 0, WINDOW_BYTES)
        if start < 0 or not _is_object(body[:start] + _MEMBER + b"}"):
            return _renamed_by_walk(body, key, new)
    return b"".join((body[:start], new, body[start + len(old) :]))


def _is_object(text: bytes) -> bool:
    if text == _ONLY_MEMBER:  # the last member is the one that is asked for most
        return True
    try:
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, ValueError):
        return False
    return True


def _renamed_by_walk(body: bytes, key: str, new: bytes) -> bytes:
    pieces: list[bytes] = []
    position = 0
    for start, (value_start, _) in _members(body, key):
        pieces += (body[position:start], new)
        position = body.rindex(b'"', start, body.rindex(b":", start, value_start)) + 1
    return b"".join((*pieces, body[position:]))


def without_member(body: bytes, key: str) -> bytes:
    """`body` without the top-level member `key` and one comma beside it; unchanged if absent."""
    for start, end in reversed(_member_spans(body, key)):
        body = _cut(body, start, end)
    return body


def _cut(body: bytes, start: int, end: int) -> bytes:
    """`body` without these bytes, the white space around them, and one comma beside them."""
    head, tail = body[:start].rstrip(), body[end:].lstrip()
    if tail[:1] == b",":
        tail = tail[1:]
    elif head[-1:] == b",":
        head = head[:-1]
    return head + tail


def without_scalar(body: bytes, key: str) -> bytes:
    """Like `without_member`, quick where the key's bytes occur once; its value must be a scalar known to exist.

    >>> without_scalar(b'{"a": 1, "b": 2}', "b")
    b'{"a": 1}'
    """
    span = _only_span(body, key)
    if span is None:
        return without_member(body, key)
    return _cut(body, body.find(b'"' + key.encode() + b'"'), span[1])


def member_spans(body: bytes, key: str) -> list[Span]:
    """Where the values of top-level members named `key` begin and end. Raises: WireError: not an object."""
    return [span for _, span in _members(body, key)]


def _member_spans(body: bytes, key: str) -> list[Span]:
    return [(key_start, value_end) for key_start, (_, value_end) in _members(body, key)]


def _only_span(body: bytes, key: str) -> Span | None:
    """Where the value behind the only `"key"` is. Searched from the end, which `bytes` does four times as fast."""
    quoted = b'"%b"' % key.encode()
    size = len(quoted)
    place = body.rfind(quoted)
    if place < 0 or body.rfind(quoted, 0, place + size - 1) >= 0 or body[place - 1 : place] == b"\\":
        return None
    match = _VALUE_SCALAR.match(body, place + size)
    return match.span(1) if match else None


def _members(body: bytes, key: str) -> list[tuple[int, Span]]:
    """(start of the key, span of the value) of each top-level member named `key`."""
    if body.lstrip()[:1] != b"{":
        raise wire_error("The body must be a JSON object")
    found: list[tuple[int, Span]] = []
    depth, name, key_start, value_start, end = 0, b"", 0, -1, 0
    wanted = key.encode()
    for match in _TOKEN.finditer(body):
        token = match.group()
        opening = token in (b"{", b"[")
        if depth == 1 and (token == b"," or token == b"}"):
            if value_start >= 0 and _same_key(name, wanted):
                found.append((key_start, (value_start, end)))
            name, value_start = b"", -1
        elif depth == 1 and not name:
            name, key_start = token, match.start()
        elif depth == 1 and token != b":" and value_start < 0:
            value_start = match.start()
        depth += opening - (token in (b"}", b"]"))
        end = match.end()
        if depth == 0:
            return found
    raise wire_error("The body is not a complete JSON object")


def _same_key(token: bytes, wanted: bytes) -> bool:
    if token == b'"' + wanted + b'"':
        return True
    if b"\\" not in token:
        return False
    try:
        return msgspec.json.decode(token, type=str).encode("utf-8", "surrogatepass") == wanted
    except (msgspec.DecodeError, ValueError):
        return False
