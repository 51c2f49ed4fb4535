"""Log probabilities of legacy text completions: four parallel lists where chat has one list of tokens."""

from allgate.dialects.passes.lenient import list_of, object_of, objects_of, text_of
from allgate.wire.json import Json, JsonObject


def entries_of_legacy(wire: JsonObject) -> list[Json]:
    """`{tokens, token_logprobs, top_logprobs}` as chat's list of tokens; empty for any other shape."""
    logprobs, tops = list_of(wire.get("token_logprobs")), list_of(wire.get("top_logprobs"))
    return [
        {
            "token": text_of(token),
            "logprob": logprobs[place] if place < len(logprobs) else None,
            "top_logprobs": [
                {"token": name, "logprob": value}
                for name, value in object_of(tops[place] if place < len(tops) else None).items()
            ],
        }
        for place, token in enumerate(list_of(wire.get("tokens")))
    ]


def legacy_of_entries(entries: Json, offset: int) -> JsonObject | None:
    """Chat's list of tokens as four lists; `offset`: code points of the answer before the first token."""
    tokens = objects_of(entries)
    if not tokens:
        return None
    texts = [text_of(token.get("token")) for token in tokens]
    return {
        "tokens": texts,
        "token_logprobs": [token.get("logprob") for token in tokens],
        "top_logprobs": [
            {text_of(top.get("token")): top.get("logprob") for top in objects_of(token.get("top_logprobs"))}
            for token in tokens
        ],
        "text_offset": [offset + sum(map(len, texts[:place])) for place in range(len(texts))],
    }
