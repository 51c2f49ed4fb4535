"""logprobsResult ↔ the vocabulary's list of {token, logprob, bytes, top_logprobs}."""

from typing import cast

from allgate.dialects.gemini.members import members_of
from allgate.dialects.passes.lenient import list_of, object_of, objects_of, text_of
from allgate.wire.json import Json, JsonObject


def logprobs_of(raw: Json) -> list[Json]:
    """One entry per chosen token; empty where there are none."""
    result = members_of(object_of(raw), "logprobsResult")
    tops = objects_of(result.get("topCandidates"))
    entries: list[Json] = []
    for place, chosen in enumerate(objects_of(result.get("chosenCandidates"))):
        top = members_of(tops[place], "topCandidates") if place < len(tops) else {}
        entries.append(
            {**_entry(chosen), "top_logprobs": [_entry(one) for one in objects_of(top.get("candidates"))]}
        )
    return entries


def _entry(candidate: JsonObject) -> JsonObject:
    source = members_of(candidate, "candidate")
    token = text_of(source.get("token"))
    return {
        "token": token,
        "logprob": source.get("logProbability", 0.0),
        "bytes": list(token.encode("utf-8", "replace")),
    }


def result_for(entries: Json) -> JsonObject | None:
    """logprobsResult of these entries; None where there are none."""
    listed = [cast(JsonObject, entry) for entry in list_of(entries) if isinstance(entry, dict)]
    if not listed:
        return None
    return {
        "chosenCandidates": [_candidate(entry) for entry in listed],
        "topCandidates": [
            {"candidates": [_candidate(one) for one in objects_of(entry.get("top_logprobs"))]}
            for entry in listed
        ],
    }


def _candidate(entry: JsonObject) -> JsonObject:
    return {"token": entry.get("token"), "logProbability": entry.get("logprob")}
