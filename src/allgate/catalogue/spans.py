"""Rules kept on the bytes of a body that is passed through: members are set, renamed or taken out, all else stays."""

from collections.abc import Iterable

from allgate.catalogue.ruled import Edit
from allgate.catalogue.settings import MEMBERS_ONLY, setting
from allgate.wire.json import encode
from allgate.wire.span import renamed_member, set_scalar, without_scalar


def is_by_span(edits: Iterable[Edit], dialect: str, fields: frozenset[str]) -> bool:
    """Can all of these edits be made on the bytes of a body with these members?

    Not where a setting is part of a larger object, or is said in one as well.
    """
    for edit in edits:
        found = setting(edit.setting)
        own = found.own.get(dialect)
        if own is None or not fields.intersection(found.members[dialect]).issubset(own):
            return False
    return True


def spanned(body: bytes, edits: Iterable[Edit], dialect: str, fields: frozenset[str]) -> bytes:
    """The body, whose members are `fields`, with the edits made, which `is_by_span` has allowed."""
    for edit in edits:
        own = setting(edit.setting).own[dialect]
        if fields.isdisjoint(own):
            body = body if edit.value is None else _with_first(body, own[0], encode(edit.value))
        else:
            body = _edited(body, edit, own)
    return body


def _edited(body: bytes, edit: Edit, own: tuple[str, ...]) -> bytes:
    """One of the members is there; Gemini's may be in another spelling than heads use."""
    present = [member for member in own if _quoted(member) in body]
    if edit.name is not None:
        for member in present:
            body = renamed_member(body, member, edit.name.removeprefix(MEMBERS_ONLY))
        return body
    if edit.value is None:
        taken_out = present
    else:
        body, taken_out = set_scalar(body, present[0], encode(edit.value)), present[1:]
    for member in taken_out:
        body = without_scalar(body, member)
    return body


def _with_first(body: bytes, member: str, value: bytes) -> bytes:
    """`body` with a new member at its beginning, without walking to its end."""
    start = body.index(b"{") + 1
    comma = b"" if body[start : start + 64].lstrip()[:1] == b"}" else b","
    return b"".join((body[:start], _quoted(member), b":", value, comma, body[start:]))


def _quoted(member: str) -> bytes:
    return b'"' + member.encode() + b'"'
