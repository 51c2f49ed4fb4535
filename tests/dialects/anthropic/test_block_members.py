from allgate.dialects.anthropic.block_members import extra_of, mark_of
from allgate.operations.chat.parts import CacheMark

KNOWN = frozenset({"type", "text"})


def test_a_breakpoint_has_a_time_to_live_and_may_have_a_scope():
    assert mark_of({"cache_control": {"type": "ephemeral", "ttl": "1h"}}) == (CacheMark(ttl="1h"), {})
    scoped = {"cache_control": {"type": "ephemeral", "scope": "global"}}
    assert mark_of(scoped) == (CacheMark(), {"_cache_control": {"scope": "global"}})
    assert mark_of({"cache_control": None}) == (None, {})


def test_what_is_not_known_is_kept_and_null_counts_as_absent():
    assert extra_of({"type": "text", "text": "a"}, KNOWN, {}) == {}
    assert extra_of({"type": "text", "novel": None}, KNOWN, {}) == {}
    assert extra_of({"type": "text", "novel": 1}, KNOWN, {}) == {"anthropic": {"novel": 1}}
    assert extra_of({"type": "text"}, KNOWN, {"_note": 2}) == {"anthropic": {"_note": 2}}
