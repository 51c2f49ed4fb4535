"""What a Messages request has no place for: what may be left out, with a note, and what must not be.

Refused is what would change the meaning of the answer in silence: several answers, sound or pictures out, a grammar, an
earlier response that only another provider holds, work in the background.
"""

from allgate.core.errors import unsupported
from allgate.dialects.anthropic.versions import DIALECT
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, dropped
from allgate.operations.chat.request import ChatRequest


def refuse(request: ChatRequest, caps: Caps) -> None:
    """Raises: WireError: what this deployment cannot do and must not ignore."""
    if (request.sampling.n or 1) > 1:
        raise unsupported("This model gives one answer at a time", param="n")
    for modality in request.modalities:
        if modality != "text" and modality not in caps.modalities_out:
            raise unsupported(f"This model gives no {modality} output", param="modalities")
    if request.output is not None and request.output.kind == "grammar":
        raise unsupported("This model takes no output grammar", param="response_format")
    state = request.state
    if state.previous_response_id or state.conversation:
        raise unsupported("This model keeps no earlier responses", param="previous_response_id")
    if state.prompt is not None:
        raise unsupported("This model knows no stored prompts: send the text itself", param="prompt")
    if state.background:
        raise unsupported("This model has no background mode", param="background")


def left_out(request: ChatRequest) -> list[Note]:
    """A note for each thing that the client said and that is not carried."""
    notes: list[Note] = []
    sampling, cache, state = request.sampling, request.cache, request.state
    for path, value in (
        ("frequency_penalty", sampling.frequency_penalty),
        ("presence_penalty", sampling.presence_penalty),
        ("logit_bias", sampling.logit_bias),
        ("seed", sampling.seed),
        ("logprobs", sampling.logprobs or None),
        ("top_logprobs", sampling.top_logprobs),
        ("verbosity", request.output.verbosity if request.output else None),
        ("audio", request.audio_out),
        ("image", request.image_out),
        ("prompt_cache_key", cache.key),
        ("prompt_cache_retention", cache.retention),
        ("prompt_cache_options", cache.options),
        ("cached_content", cache.handle),
        ("store", state.store or None),
        ("truncation", state.truncation),
        ("context_management", state.context_management),
        ("safety", request.safety),
    ):
        if value is not None:
            notes.append(dropped(path, "not known to anthropic"))
    for dialect, members in request.extra.items():
        if dialect != DIALECT:
            notes += [dropped(key, "not known to anthropic") for key in members if key[0] != "_"]
    return notes
