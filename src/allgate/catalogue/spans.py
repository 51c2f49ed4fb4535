"""Rules kept on the bytes of a body that is passed through: members are set, renamed or taken out, all else stays."""

from collections.abc import Iterable

from allgate.catalogue.ruled import Edit
from allgate.catalogue.settings import MEMBERS_ONLY, setting
from allgate.wire.json import encode
from allgate.wire.span import renamed_member, set_member, without_member


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


def spanned(body: bytes, edits: Iterable[Edit], dialect: str) -> bytes:
    """The body with the edits made, which `is_by_span` has allowed."""
    for edit in edits:
        own = setting(edit.setting).own[dialect]
        body = _edited(body, edit, [member for member in own if _quoted(member) in body], own[0])
    return body


def _edited(body: bytes, edit: Edit, present: list[str], first: str) -> bytes:
    if edit.name is not None:
        for member in present:
            body = renamed_member(body, member, edit.name.removeprefix(MEMBERS_ONLY))
        return body
    if edit.value is None:
        taken_out = present
    elif present:
        body, taken_out = set_member(body, present[0], encode(edit.value)), present[1:]
    else:
        return _with_first(body, first, encode(edit.value))
    for member in taken_out:
        body = without_member(body, member)
    return body


def _with_first(body: bytes, member: str, value: bytes) -> bytes:
    """`body` with a new member at its beginning, without walking to its end."""
    start = body.index(b"{") + 1
    comma = b"" if body[start : start + 64].lstrip()[:1] == b"}" else b","
    return b"".join((body[:start], _quoted(member), b":", value, comma, body[start:]))


def _quoted(member: str) -> bytes:
    return b'"' + member.encode() + b'"'
