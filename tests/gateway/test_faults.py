"""The fault table: what a client gets when its provider fails, with and without a healthy sibling.

Every row runs four times: unary and streamed, alone and with a sibling. The answer must be the sibling's, or a correct error
in the caller's dialect, and in every case there is exactly one receipt and nothing is left open. `stand` checks the latter.
"""

import pytest

from stand import Reply, Stand, stand

DEADLINES = "drain_s = 0\n[timeouts]\nconnect_s = 1\nfirst_byte_s = 0.3\nidle_s = 0.3\ntotal_s = 5"

# What the caller may see. An int is a plain HTTP error; SIBLING: the sibling answers where there is one, else this status;
# IN_BAND: content had left, so the error is in the stream and the sibling is not asked; FINE: a whole answer.
IN_BAND, FINE = "in band", "fine"
SIBLING = {status: ("sibling", status) for status in (408, 429, 500, 502, 503, 504)}

# (scene, unary, streamed)
ROWS = [
    ("sim-reset_before", SIBLING[502], SIBLING[502]),
    ("sim-reset_after", SIBLING[502], SIBLING[502]),
    ("sim-mute", SIBLING[504], SIBLING[504]),
    ("sim-silence,silence=0", SIBLING[504], SIBLING[504]),
    ("sim-silence,silence=4", FINE, IN_BAND),
    ("sim-interim", FINE, FINE),
    ("sim-interim,interim=20", SIBLING[502], SIBLING[502]),
    ("sim-trailers", FINE, FINE),
    ("sim-trailers,trailers=2000", SIBLING[502], IN_BAND),
    ("sim-big_header", SIBLING[502], SIBLING[502]),
    ("sim-many_headers", SIBLING[502], SIBLING[502]),
    ("sim-chunk_extensions", SIBLING[502], SIBLING[502]),
    ("sim-long_length", SIBLING[502], IN_BAND),
    ("sim-short_length", SIBLING[502], FINE),
    ("sim-two_lengths", SIBLING[502], SIBLING[502]),
    ("sim-garbage", FINE, FINE),
    ("sim-close", FINE, FINE),
    ("sim-stale", FINE, FINE),
    ("sim-http10", SIBLING[502], SIBLING[502]),
    ("sim-cut,cut=0", SIBLING[502], SIBLING[502]),
    ("sim-cut,cut=0,inside=true", SIBLING[502], SIBLING[502]),
    ("sim-cut,cut=0,how=reset", SIBLING[502], SIBLING[502]),
    ("sim-cut,cut=1", FINE, SIBLING[502]),
    ("sim-cut,cut=2", FINE, IN_BAND),
    ("sim-cut,cut=3,inside=true", FINE, IN_BAND),
    ("sim-cut,cut=3,how=reset", FINE, IN_BAND),
    ("sim-cut,cut=3,how=end", FINE, IN_BAND),
    ("sim-bad_json,bad_at=0", SIBLING[502], SIBLING[502]),
    ("sim-bad_json,bad_at=3", FINE, IN_BAND),
    ("sim-truncated_json,bad_at=0", SIBLING[504], SIBLING[502]),
    ("sim-no_blank_line", FINE, SIBLING[502]),
    ("sim-no_finish", FINE, IN_BAND),
    ("sim-no_done", FINE, FINE),
    ("sim-comments", FINE, FINE),
    ("sim-error_frame,error_at=0", FINE, SIBLING[500]),
    ("sim-error_frame,error_at=3", FINE, IN_BAND),
    ("sim-html", SIBLING[502], SIBLING[502]),
    ("sim-error,status=502,page=empty", SIBLING[502], SIBLING[502]),
    *((f"sim-error,status={status}", status, status) for status in (400, 409, 413, 422)),
    *((f"sim-error,status={status}", SIBLING[502], SIBLING[502]) for status in (401, 402, 403, 404)),
    ("sim-error,status=408", SIBLING[408], SIBLING[408]),
    ("sim-rate_limit", SIBLING[429], SIBLING[429]),
    ("sim-error,status=500", SIBLING[500], SIBLING[500]),
    ("sim-error,status=502", SIBLING[502], SIBLING[502]),
    ("sim-overloaded", SIBLING[503], SIBLING[503]),
    ("sim-error,status=503", SIBLING[503], SIBLING[503]),
    ("sim-error,status=504", SIBLING[504], SIBLING[504]),
]

# The same, for what goes wrong before the simulator sees anything: the first upstream is elsewhere.
PLACES = [
    ("refused", "http://127.0.0.1:1", 502),
    ("tls", "https://{sim}", 502),
    ("dns", "http://no-such-host.invalid", 502),
]


def test_the_table_is_long_enough() -> None:
    assert len(ROWS) + len(PLACES) >= 40
    assert len({scene for scene, _, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("scene", "unary", "streamed"), ROWS, ids=[row[0] for row in ROWS])
async def test_a_failing_provider(scene: str, unary: object, streamed: object) -> None:
    models = {"alone": [scene], "paired": [scene, "sim-echo"]}
    async with stand(models, settings=DEADLINES) as s:
        for model in models:
            for stream, expected in ((False, unary), (True, streamed)):
                before = len(s.rows)
                reply = await s.chat(model, "one two three four five", stream=stream)
                await s.settled()
                judge(reply, expected, paired=model == "paired", stream=stream)
                one_receipt(s, before, reply, retried=model == "paired" and isinstance(expected, tuple))


@pytest.mark.parametrize(("name", "url", "status"), PLACES, ids=[row[0] for row in PLACES])
async def test_a_provider_that_cannot_be_reached(name: str, url: str, status: int) -> None:
    models = {"alone": ["sim-echo"], "paired": ["sim-echo", "sim-echo"]}
    async with stand(models, settings=DEADLINES, base_urls={0: url}) as s:
        for model in models:
            for stream in (False, True):
                before = len(s.rows)
                reply = await s.chat(model, "one two three four five", stream=stream)
                await s.settled()
                judge(reply, SIBLING[status], paired=model == "paired", stream=stream)
                one_receipt(s, before, reply, retried=model == "paired")


def judge(reply: Reply, expected: object, *, paired: bool, stream: bool) -> None:
    """The reply is what the table says, and is never a silent short answer."""
    assert reply.framed
    if isinstance(expected, tuple):
        expected = FINE if paired else expected[1]
    if expected is FINE:
        assert reply.status == 200, reply.body
        assert reply.error is None
        assert reply.text == "You said: one two three four five"
        assert reply.terminated or not stream
    elif expected is IN_BAND:
        assert reply.status == 200
        assert reply.error is not None
        assert not reply.terminated
    else:
        assert reply.status == expected, reply.body
        assert reply.error is not None
        assert reply.error["message"]


def one_receipt(s: Stand, before: int, reply: Reply, *, retried: bool) -> None:
    """Exactly one row; charged if and only if output was delivered."""
    assert len(s.rows) == before + 1
    row = s.rows[-1]
    assert row.request_id == reply.headers["x-request-id"]
    delivered = reply.status == 200
    assert (row.charged_nano_usd > 0) == delivered
    assert row.attempts == (2 if retried else 1)
    assert row.outcome == ("failed" if not delivered else "cut" if reply.error else "ok")
