"""Every recorded request, written for the three other vendors: nothing is lost, and each vendor would take it.

Accepted means: the request's own dialect reads it. Written means one of two things: an encoded body that holds every leaf
(or names in its notes what it left out: thinking and seals of another vendor, deferred tools), that the vendor's own SDK
types describe, and that the strict stand-in takes; or a clear 400 that names what this vendor does not have.
"""

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from asked import Asked, client_requests, recorded_requests
from census import SAID, Body, Leaf, leaves
from targets import TARGETS, refusal
from vendor_types import faults

from allgate.core.errors import ErrorKind, WireError
from allgate.dialects.contract import UpstreamCall
from allgate.dialects.seals import SealBox
from allgate.operations.chat.notes import notes_header
from allgate.operations.chat.request import ChatRequest

BOX = SealBox((b"k" * 32,), "account")
RECORDED = 383
CLIENTS = 72
REFUSED_MAX = 143
"""Of the crossings: requests for what the target vendor does not have at all, each a 400 that says so."""
# A 400 names what the vendor lacks: hosted tools, media it cannot take or only by other means, output it cannot make, state
# that another vendor keeps, more than one answer. (A budget below Anthropic's smallest is refused by ruling 6.)
CLEAR = re.compile(
    r"does not run|cannot run|not available on this model|is not supported by this model's endpoint"
    r"|takes no .* input|by URL|by https only|file stored at|cannot be read by this model|lives at|A file of"
    r"|gives no|one answer at a time|thinking budget must be|background|stored prompts|Prompts are not stored"
)

# Why the stand-in may refuse what was written: the recorded vendor refused it too, or a seal of the target vendor stands in
# it, which the stand-in did not make.
REFUSED_THERE_TOO = 400


@cache
def everything(shared: Path) -> tuple[tuple[Asked, ChatRequest], ...]:
    """All requests as their own dialect reads them, without those that it refuses as their vendors did."""
    read = []
    for asked in (*recorded_requests(shared), *client_requests(shared)):
        try:
            read.append((asked, TARGETS[asked.dialect].dialect.decode_request(asked.wire, BOX)))
        except WireError:
            if asked.status != REFUSED_THERE_TOO:
                raise
    return tuple(read)


def crossings(shared: Path, target: str) -> list[tuple[Asked, ChatRequest, UpstreamCall | WireError]]:
    """Every request of another dialect, written for the vendor of `target`, or why it cannot be."""
    vendor, found = TARGETS[target], []
    for asked, request in everything(shared):
        if asked.dialect != target:
            try:
                found.append(
                    (asked, request, vendor.dialect.encode_request(request, vendor.model, vendor.caps))
                )
            except WireError as error:
                found.append((asked, request, error))
    return found  # fmt: skip


def test_every_recorded_request_is_accepted(shared: Path) -> None:
    """But one, whose schema is `true`, which its vendor refused as well."""
    counts = Counter("/" in asked.id for asked, _ in everything(shared))
    assert (counts[False], counts[True]) == (RECORDED - 1, CLIENTS)
    assert {asked.dialect for asked, _ in everything(shared)} == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_lost_on_the_way_to_another_vendor(target: str, shared: Path) -> None:
    counts, lost, unnamed = Counter(), [], []
    for asked, request, call in crossings(shared, target):
        if isinstance(call, WireError):
            continue
        body, notes = Body(json.loads(call.body)), _notes(request, call)
        for leaf in leaves(asked.dialect, asked.body):
            counts[leaf.kind] += 1
            if body.holds(leaf):
                continue
            if leaf.kind in SAID or leaf.kind == "media":
                lost.append(f"{asked.id}: {leaf.kind} {leaf.value[:80]!r}")
            elif not _names(notes, leaf):
                unnamed.append(f"{asked.id}: {leaf.kind} {leaf.value[:80]!r} is not in {notes}")
    print(f"to {target}: {counts}")
    assert not lost, "\n".join(lost)
    assert not unnamed, "\n".join(unnamed)
    assert min(counts[kind] for kind in SAID) > 40


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_written_is_what_the_vendor_s_types_describe(target: str, shared: Path) -> None:
    wrong, judged = [], 0
    for asked, _, call in crossings(shared, target):
        if isinstance(call, WireError):
            continue
        judged += 1
        found = faults(target, call.body, call.headers)
        if found:
            wrong.append(f"{asked.id}: {found[:3]}")
    assert not wrong, "\n".join(wrong)
    assert judged > 250


@pytest.mark.parametrize("target", TARGETS)
def test_the_strict_vendor_takes_what_is_written(target: str, shared: Path) -> None:
    vendor, refused, taken = TARGETS[target], [], 0
    for asked, request, call in crossings(shared, target):
        if isinstance(call, WireError) or asked.status == REFUSED_THERE_TOO or _sealed_for(target, request):
            continue
        why = refusal(call, vendor.caps.api_version)
        taken += not why
        if why:
            refused.append(f"{asked.id}: {why}")
    assert not refused, "\n".join(refused)
    assert taken > 240


def test_what_a_vendor_does_not_have_is_a_clear_400(shared: Path) -> None:
    refused = Counter()
    for target in TARGETS:
        for asked, _, call in crossings(shared, target):
            if isinstance(call, WireError):
                failure = call.failure
                refused[target] += 1
                assert failure.kind in (ErrorKind.UNSUPPORTED, ErrorKind.BAD_REQUEST), asked.id
                assert CLEAR.search(failure.message), f"{asked.id}: {failure.message}"
                assert failure.param, asked.id
    print(refused)
    assert refused.total() <= REFUSED_MAX


def _notes(request: ChatRequest, call: UpstreamCall) -> str:
    return notes_header((*request.notes, *call.notes))


def _names(notes: str, leaf: Leaf) -> bool:
    """The notes say that this kind of thing was left out."""
    words = {
        "thinking": "thinking|reasoning",
        "seal": "thinking|reasoning|signature",
        "deferred": "defer_loading",
    }
    return re.search(rf"dropped \S*({words[leaf.kind]})", notes) is not None


def _sealed_for(target: str, request: ChatRequest) -> bool:
    """A recorded seal of this very vendor, which the client kept in another dialect: it goes back, as it must."""
    origin = TARGETS[target].caps.seal_origin
    parts = (part for turn in request.turns for part in turn.parts)
    return any(seal.origin == origin for part in parts for seal in part.seals)
