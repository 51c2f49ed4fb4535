"""The canonical vocabulary of a chat: what any of the four dialects can say, said once.

Everything meets here: a dialect decodes its wire form into these values and encodes them back, so N dialects need N
codecs and never N × N converters. The vocabulary is semantic, not syntactic: it need not reproduce source bytes,
because same-dialect traffic is passed through as bytes.

    parts.py      what a turn is made of: text, media, thinking, tool calls and results, hosted calls, refusals
    tools.py      what a model may call, and how it must choose
    request.py    turns and settings of one request
    response.py   choices, finish, the whole answer
    events.py     the same answer as a stream: one open part at a time
    caps.py       what one deployment can do, as data; encoders ask this and never a model's name
    notes.py      what was not carried, named

Normal form, which every decoder produces and every encoder may rely on:
 1. `system` holds the leading run of system/developer content; later system turns stay turns at their place.
 2. Tool results live only in `tool` turns; a `tool` turn directly follows the assistant turn whose calls it answers and
    holds all its results, in call order.
 3. Consecutive assistant turns are merged unless ids or phase differ; consecutive user turns are left as they are.
 4. Every call and result has a `call_id`; where the source has none it is derived from content (`core.ids`).
 5. Empty text parts are dropped; a turn left without parts is dropped unless it is the only user turn.
 6. Data URLs are `Inline`; http(s) stays `Url`; file ids and provider URIs are `FileRef` with their origin.
 7. A call without a result before a later turn gets an error result "[no result recorded]"; a result without a call
    becomes user text. Both are noted.
"""
