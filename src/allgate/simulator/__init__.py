"""A stand-in provider, strict as the vendors are. Imports core and wire only: what checks is not built from what is checked.

It writes wire JSON by hand and refuses what the vendors refuse; its ledger says what it served. In process it is a
server on a loopback socket (`server.start`, or `in_thread.running` for blocking SDKs); on its own, `allgate simulate`.

Doors, by path: OpenAI Chat Completions, OpenAI Responses, Anthropic Messages, Gemini, and each one's model list. Any
non-empty key is taken, except those that begin with `sk-bad`. A model exists if its name looks like one of the
vendor's (`models.py`), or is `sim-` and the name of a scene.

Scenes. Without one the simulator answers honestly: it says the prompt back, calls the forced tool or one that the
prompt names, fits the JSON schema, and counts tokens (`tokens.py`). A scene is said in the model name
(`sim-cut,cut=3`), the key (`sk-scene-error,status=429`), the header `x-sim-scene`, or a line of the last user message
(`!scene paced words=50 delay_ms=20`); later ones win, and `Simulator.script` goes before all. A name stands for the
knobs beside it; knobs can be given alone and mixed. Every knob is a field of `scenes.Scene`, explained there.

| scene | knobs | what happens |
|---|---|---|
| echo | | the prompt said back |
| paced | words=20 delay_ms=10 | numbered words, one frame each 10 ms; `pieces` joins them to n frames |
| empty | text="" | an answer without text |
| tools, parallel | calls=1, calls=2 | so many calls of the declared tools, with arguments that fit; `arguments` says other ones; `again`: also after results |
| think, think_tools, redacted | thinking="…" | reasoning first, then the answer, or a call; `redacted` hides it (Anthropic) |
| search | annotations=1 | web citations on the text |
| refuse, filter, length, pause | refuse, finish=content_filter, length, pause | other ends |
| no_usage, usage_on_finish, usage_every | usage=none, finish, every | where counts are reported; `input`, `output`, `cached`, `cache_write`, `reasoning` say which |
| error | status=500 | the vendor's error body; `code`, `retry_after`, `should_retry`, `page=html` or `page=empty` |
| rate_limit, quota, overloaded, html | status=429, 429, 529, 502 | as such errors come |
| slow, mute, silence | first_ms=1000, mute, silence=3 | a late head, none, nothing more after 3 frames |
| cut, cut_inside, cut_reset, cut_clean | cut=3, inside, how=reset, how=end | the body ends after 3 frames, in the fourth, by RST, well-formed; `how=drop`: without TLS close_notify |
| bad_json, truncated_json, no_blank_line, bad_utf8 | bad=… bad_at=1 | the second frame is broken |
| error_frame | error_at=3 | the vendor's in-band error after 3 frames |
| no_finish, no_done | no_finish, no_done | the finish fact, or the terminator, is missing |
| comments | comments | keep-alives between frames |
| early | early status=413 | answers while the body is still coming in |
| interim | interim=1 | a 103 (`interim_status`) before the response |
| trailers, big_header, many_headers, chunk_extensions | trailers=1, header_bytes=…, header_count=…, extension_bytes=… | HTTP that is legal and too much |
| long_length, short_length, two_lengths | length=50, length=-10, two_lengths | Content-Length that lies, or stands beside Transfer-Encoding |
| reset_before, reset_after | reset=reading, reset=read | RST before the body is read, or after; `reset=accept` (scripted) on connect |
| stale, stale_next | stale=close, stale=next | the kept connection ends unsaid: now, or at its next request |
| close, http10, garbage | | Connection: close; a body that ends with the connection; bytes after the end |
| malformed | malformed=status_line | no HTTP at all: also header, chunk_size, chunk_end |

Also `slice=n` (HTTP chunks of n bytes), and `hold=NAME` with `hold_at=FRAME`: wait for `Simulator.release(NAME)`.
"""
