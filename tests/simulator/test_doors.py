"""Doors: whose a request is, and what is not served."""

import pytest

from allgate.simulator.doors import check_route, dialect_of, listing
from allgate.simulator.exchange import Rejected, Request


def request(path: str, method: str = "POST", query: dict[str, str] | None = None, **headers: str) -> Request:
    fields = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return Request(serial=1, method=method, path=path, query=query or {}, headers=fields)


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/v1/chat/completions", "openai_chat"),
        ("/api/paas/v4/chat/completions", "openai_chat"),
        ("/v1/responses", "openai_responses"),
        ("/v1/responses/input_tokens", "openai_responses"),
        ("/v1/messages", "anthropic"),
        ("/anthropic/v1/messages/count_tokens", "anthropic"),
        ("/v1/models/gemini-3-pro:generateContent", "gemini"),
        ("/v1beta/models/gemini-3-pro:countTokens", "gemini"),
    ],
)
def test_a_path_belongs_to_a_vendor(path: str, dialect: str):
    found = request(path)
    check_route(found)
    assert dialect_of(found).name == dialect


def test_the_model_list_is_in_the_shape_of_who_asks():
    lists = [
        listing(request("/v1/models", "GET")),
        listing(request("/v1/models", "GET", anthropic_version="2023-06-01")),
        listing(request("/v1/models", "GET", x_goog_api_key="k")),
        listing(request("/v1beta/models", "GET", {"key": "k"})),
    ]
    assert [sorted(found or {}) for found in lists] == [
        ["data", "object"],
        ["data", "first_id", "has_more", "last_id"],
        ["models"],
        ["models"],
    ]
    assert listing(request("/v1/models", "POST")) is None


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/embeddings", 404),
        ("POST", "/v1/v1/messages/x", 404),
        ("POST", "/v1beta/models/gemini-3-pro:embedContent", 404),
        ("GET", "/v1/chat/completions", 405),
        ("DELETE", "/v1/messages", 405),
    ],
)
def test_what_is_not_served_is_refused(method: str, path: str, status: int):
    with pytest.raises(Rejected) as caught:
        check_route(request(path, method))
    assert caught.value.status == status
