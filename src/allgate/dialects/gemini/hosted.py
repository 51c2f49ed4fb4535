"""Calls that Gemini ran itself: executableCode with its codeExecutionResult, toolCall with its toolResponse.

Each pair of parts is one Hosted. The two parts are read apart, because a stream brings them apart, and joined by
`answered`; a result without its call stands alone. Both may be signed: the seals are in the order call, result, and
`extra` says so where only the result has one. Another vendor's code becomes the same pair; its searches become
grounding metadata (`grounding`), for which these parts have no room.
"""

from typing import cast

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.dialects.gemini.members import members_of
from allgate.operations.chat.parts import Hosted, HostedKind, HostedResult, Seal
from allgate.wire import json
from allgate.wire.json import Json, JsonObject, optional_text

_KINDS: dict[str, HostedKind] = {
    "GOOGLE_SEARCH_WEB": "web_search", "GOOGLE_SEARCH_IMAGE": "web_search", "URL_CONTEXT": "web_fetch",
    "FILE_SEARCH": "file_search", "CODE_EXECUTION": "code_execution",
}  # fmt: skip
_OUTCOMES = {1: "OUTCOME_OK", 2: "OUTCOME_FAILED", 3: "OUTCOME_DEADLINE_EXCEEDED"}

CALLS = frozenset({"executableCode", "toolCall"})
ANSWERS = frozenset({"codeExecutionResult", "toolResponse"})


def call_of(part: JsonObject, path: str, seals: tuple[Seal, ...]) -> Hosted:
    """The Hosted that a part with executableCode or toolCall begins; it has no result yet. Raises: WireError."""
    key = "executableCode" if "executableCode" in part else "toolCall"
    source = members_of(part[key], f"{path}.{key}")
    call_id = optional_text(source, "id", f"{path}.{key}.id") or ""
    extra = {"gemini": {key: source}}
    if key == "executableCode":
        code = optional_text(source, "code", f"{path}.{key}.code") or ""
        return Hosted(
            call_id=call_id,
            tool="code_execution",
            name="code_execution",
            input=code,
            status="in_progress",
            seals=seals,
            extra=extra,
        )
    kind = str(source.get("toolType", ""))
    arguments = source.get("args")
    return Hosted(
        call_id=call_id,
        tool=_KINDS.get(kind, "other"),
        name=kind.lower(),
        input=json.encode_text(arguments) if arguments else "",
        queries=_queries(arguments),
        status="in_progress",
        seals=seals,
        extra=extra,
    )


def _queries(arguments: Json) -> tuple[str, ...]:
    if not isinstance(arguments, dict):
        return ()
    source = members_of(arguments, "args")
    asked: list[Json] = (
        source["queries"] if isinstance(source.get("queries"), list) else [source.get("query")]
    )
    return tuple(query for query in asked if isinstance(query, str))


def answer_of(part: JsonObject, path: str, seals: tuple[Seal, ...]) -> Hosted:
    """A Hosted that has only the result of a part with codeExecutionResult or toolResponse. Raises: WireError."""
    key = "codeExecutionResult" if "codeExecutionResult" in part else "toolResponse"
    source = members_of(part[key], f"{path}.{key}")
    call_id = optional_text(source, "id", f"{path}.{key}.id") or ""
    extra: dict[str, JsonObject] = {"gemini": {"sealed": "result"}} if seals else {}
    if key == "toolResponse":
        kind = str(source.get("toolType", ""))
        given = source.get("response")
        result = HostedResult(
            text=json.encode_text(given) if given is not None else None, raw=source, raw_dialect="gemini"
        )
        tool = _KINDS.get(kind, "other")
        return Hosted(call_id=call_id, tool=tool, name=kind.lower(), result=result, seals=seals, extra=extra)
    outcome = source.get("outcome")
    word = _OUTCOMES.get(outcome, "") if isinstance(outcome, int) else str(outcome or "OUTCOME_OK")
    output = optional_text(source, "output", f"{path}.{key}.output") or ""
    worked = word == "OUTCOME_OK"
    result = HostedResult(
        stdout=output if worked else None,
        stderr=None if worked else output,
        error=None if worked else word,
        raw=source,
        raw_dialect="gemini",
    )
    return Hosted(
        call_id=call_id,
        tool="code_execution",
        name="code_execution",
        status="completed" if worked else "failed",
        result=result,
        seals=seals,
        extra=extra,
    )


def answers(call: Hosted, answer: Hosted) -> bool:
    """Whether this result belongs to this call, which waits for one."""
    return call.result is None and call.tool == answer.tool and call.call_id == answer.call_id


def answered(call: Hosted, answer: Hosted) -> Hosted:
    """The call with its result."""
    own = {**answer.extra.get("gemini", {}), **call.extra.get("gemini", {})}
    if call.seals:
        own.pop("sealed", None)
    return changed(
        call,
        result=answer.result,
        status=answer.status,
        seals=call.seals + answer.seals,
        extra={**call.extra, "gemini": own},
    )


def hosted_parts(hosted: Hosted, signatures: list[str | None]) -> list[JsonObject]:
    """The pair of parts of a Hosted; nothing for what Gemini cannot say so. `signatures` are those of its seals."""
    own = hosted.extra.get("gemini", {})
    pair = [_call_part(hosted, own), _answer_part(hosted)]
    first = 1 if own.get("sealed") == "result" else 0
    for place, signature in enumerate(signatures[:2], first):
        part = pair[min(place, 1)] or pair[0]
        if part is not None and signature is not None:
            part["thoughtSignature"] = signature
    return [part for part in pair if part is not None]


def _call_part(hosted: Hosted, own: JsonObject) -> JsonObject | None:
    for key in CALLS:
        if key in own:
            return {key: own[key]}
    if hosted.tool != "code_execution" or not hosted.input:
        return None
    return {"executableCode": {"language": "PYTHON", "code": _code(hosted.input)}}


def _answer_part(hosted: Hosted) -> JsonObject | None:
    result = hosted.result
    if result is None:
        return None
    if result.raw_dialect == "gemini" and isinstance(result.raw, dict):
        raw = cast(JsonObject, result.raw)
        coded = hosted.tool == "code_execution" and "toolType" not in raw
        return {"codeExecutionResult" if coded else "toolResponse": raw}
    if hosted.tool != "code_execution":
        return None
    failed = hosted.status == "failed" or result.error is not None
    output = "\n".join(text for text in (result.stdout, result.stderr, result.text) if text)
    outcome = "OUTCOME_FAILED" if failed else "OUTCOME_OK"
    return {"codeExecutionResult": {"outcome": outcome, "output": output}}


def _code(text: str) -> str:
    """The code itself, where a vendor wraps it as `{"code": …}` or `{"command": …}`."""
    if text.lstrip()[:1] != "{":
        return text
    try:
        wrapped = json.decode_object(text, "code")
    except WireError:
        return text
    code = wrapped.get("code", wrapped.get("command"))
    return code if isinstance(code, str) else text
