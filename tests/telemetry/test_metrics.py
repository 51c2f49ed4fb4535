"""What Prometheus reads is checked by Prometheus's own parser."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from allgate.core.errors import ErrorKind, Failure
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.gateway.ports import LogRow
from allgate.telemetry.metrics import UNCOUNTED_MAX, Metrics
from allgate.telemetry.recorder import RequestRecorder

ROW = LogRow(
    request_id="req_1", started_ms=0, account_id="demo", key_id="demo/k", dialect="openai_chat", operation="chat",
    model="M", upstream="u", upstream_model="m", upstream_dialect="anthropic", passthrough=True, stream=False,
    status=200, outcome="ok", attempts=3, duration_ms=150, first_byte_ms=None,
    usage=Usage(input_tokens=1_000, output_tokens=0), charged_nano_usd=1_500_000_000, hold_nano_usd=2, price_id="s",
    error="", notes="dropped seed; converted n (one)", user_agent="",
)  # fmt: skip

LABELS = {
    "gen_ai_operation_name": "chat",
    "gen_ai_request_model": "M",
    "upstream": "u",
}


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by its name and labels, as Prometheus's parser reads them."""
    families = text_string_to_metric_families(metrics.render().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return samples(metrics).get((name, tuple(sorted((LABELS | labels).items()))))


def observed(*rows: LogRow) -> Metrics:
    metrics = Metrics()
    for row in rows:
        metrics.observe(row)
    return metrics


def test_nothing_seen_is_readable():
    assert samples(Metrics()) == {}


def test_a_request_falls_into_its_buckets():
    metrics = observed(ROW)
    name = "gen_ai_server_request_duration_seconds"
    assert value(metrics, f"{name}_count") == 1
    assert value(metrics, f"{name}_sum") == 0.15
    buckets = {bound: value(metrics, f"{name}_bucket", le=bound) for bound in ("0.1", "0.2", "300", "+Inf")}
    assert buckets == {"0.1": 0, "0.2": 1, "300": 1, "+Inf": 1}


def test_a_bound_belongs_to_its_bucket():
    metrics = observed(changed(ROW, duration_ms=100))
    assert value(metrics, "gen_ai_server_request_duration_seconds_bucket", le="0.1") == 1


def test_what_is_beyond_every_bound_is_in_the_last():
    metrics = observed(changed(ROW, duration_ms=10**9))
    assert value(metrics, "gen_ai_server_request_duration_seconds_bucket", le="300") == 0
    assert value(metrics, "gen_ai_server_request_duration_seconds_bucket", le="+Inf") == 1


def test_tokens_are_one_metric_by_type_and_zero_is_not_unknown():
    metrics = observed(ROW, changed(ROW, usage=Usage()))
    assert value(metrics, "gen_ai_client_token_usage_sum", gen_ai_token_type="input") == 1_000
    assert value(metrics, "gen_ai_client_token_usage_count", gen_ai_token_type="input") == 1
    assert value(metrics, "gen_ai_client_token_usage_count", gen_ai_token_type="output") == 1
    assert value(metrics, "gen_ai_client_token_usage_sum", gen_ai_token_type="output") == 0


def test_a_first_byte_that_never_came_is_not_counted():
    assert value(observed(ROW), "gen_ai_server_time_to_first_token_seconds_count") is None
    metrics = observed(changed(ROW, first_byte_ms=7))
    assert value(metrics, "gen_ai_server_time_to_first_token_seconds_sum") == 0.007


def test_money_retries_notes_and_estimates_are_added_up():
    metrics = observed(ROW, ROW, changed(ROW, attempts=1, notes="", usage=Usage(estimated=True)))
    assert value(metrics, "allgate_charged_usd_total") == 4.5
    assert value(metrics, "allgate_retries_total") == 4
    assert value(metrics, "allgate_notes_total") == 4
    assert value(metrics, "allgate_usage_estimated_total") == 1


def test_requests_are_counted_by_dialects_and_how_they_ended():
    metrics = observed(ROW, ROW, changed(ROW, outcome="cut"))
    dialects = {"dialect": "openai_chat", "upstream_dialect": "anthropic"}
    assert value(metrics, "allgate_requests_total", outcome="ok", **dialects) == 2
    assert value(metrics, "allgate_requests_total", outcome="cut", **dialects) == 1
    assert value(metrics, "gen_ai_server_request_duration_seconds_count") == 3


def test_requests_of_two_models_or_upstreams_are_apart():
    metrics = observed(ROW, changed(ROW, model="N"), changed(ROW, upstream="v"))
    name = "gen_ai_server_request_duration_seconds_count"
    assert [
        value(metrics, name, **labels) for labels in ({}, {"gen_ai_request_model": "N"}, {"upstream": "v"})
    ] == [1, 1, 1]


def test_a_text_made_later_shows_the_counts_of_its_moment():
    metrics = observed(ROW)
    later = metrics.collect()
    metrics.observe(changed(ROW, model="N"))
    metrics.observe(ROW)
    assert later() == observed(ROW).render()
    assert metrics.render() != observed(ROW).render()


def test_every_request_is_counted_whether_it_waits_or_not():
    count = 2 * UNCOUNTED_MAX + 3
    metrics = observed(*(changed(ROW, duration_ms=number) for number in range(count)))
    name = "gen_ai_server_request_duration_seconds"
    assert value(metrics, f"{name}_count") == count
    assert value(metrics, f"{name}_sum") == sum(range(count)) / 1000
    assert value(metrics, f"{name}_count") == count  # asked again: counted once


def test_few_requests_wait_to_be_counted():
    metrics = observed(*[ROW] * (UNCOUNTED_MAX + 1))
    assert len(metrics._uncounted) == 1


def test_odd_names_are_escaped():
    odd = 'a"b\\c\nd'
    metrics = observed(changed(ROW, model=odd))
    assert value(metrics, "gen_ai_server_request_duration_seconds_count", gen_ai_request_model=odd) == 1


def test_series_have_a_bound_and_nothing_is_lost_beyond_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("allgate.telemetry.metrics.SERIES_MAX", 20)
    metrics = observed(*(changed(ROW, model=f"M{number}") for number in range(20 + 5)))
    name = "gen_ai_server_request_duration_seconds_count"
    assert value(metrics, name, gen_ai_request_model="(other)", upstream="(other)") == 5
    counts = [count for (found, _), count in samples(metrics).items() if found == name]
    assert sum(counts) == 25


def test_a_gauge_is_read_when_asked():
    metrics = Metrics()
    readings = iter(([({}, 1)], [({"origin": "a"}, 0.5)]))
    metrics.gauge("allgate_x", "gauge", "A thing.", lambda: next(readings))
    assert samples(metrics) == {("allgate_x", ()): 1}
    assert samples(metrics) == {("allgate_x", (("origin", "a"),)): 0.5}


def test_a_name_is_taken_once():
    metrics = Metrics()
    metrics.gauge("allgate_x", "gauge", "A thing.", list)
    with pytest.raises(ValueError, match="two metrics are named allgate_x"):
        metrics.gauge("allgate_x", "gauge", "Another.", list)


def test_the_recorder_counts_and_hands_the_row_on():
    kept: list[LogRow] = []
    metrics = Metrics()
    RequestRecorder(metrics, kept.append).record(ROW)
    assert kept == [ROW]
    assert value(metrics, "gen_ai_server_request_duration_seconds_count") == 1


def test_a_refusal_is_counted_by_its_kind():
    metrics = Metrics()
    recorder = RequestRecorder(metrics, None)
    for _ in range(2):
        recorder.refused("openai_chat", "chat", Failure(kind=ErrorKind.AUTH, message="no"))
    labels = (("dialect", "openai_chat"), ("kind", "auth"), ("operation", "chat"))
    assert samples(metrics) == {("allgate_requests_refused_total", labels): 2}
