import pytest

from allgate.http.routes import find_route

CHAT = [
    ("/v1/chat/completions", "openai_chat"),
    ("/chat/completions", "openai_chat"),
    ("/v1/v1/chat/completions", "openai_chat"),
    ("/v1/completions", "openai_completions"),
    ("/completions", "openai_completions"),
    ("/v1/responses", "openai_responses"),
    ("/responses", "openai_responses"),
    ("/v1/messages", "anthropic"),
    ("/messages", "anthropic"),
    ("/v1/v1/messages", "anthropic"),
    ("/v1beta/models/gemini-x:generateContent", "gemini"),
    ("/v1/models/gemini-x:streamGenerateContent", "gemini"),
    ("/v1beta/v1beta/models/gemini-x:generateContent", "gemini"),
    ("/v1beta/v1/models/gemini-x:generateContent", "gemini"),
    ("/models/gemini-x:generateContent", "gemini"),
    ("/v1beta1/publishers/google/models/gemini-x:streamGenerateContent", "gemini"),
    ("/v1beta/models/org/name:tag:generateContent", "gemini"),
    ("/v1beta/tunedModels/mine:generateContent", "gemini"),
    ("/v1/projects/p/locations/eu/publishers/google/models/g:streamGenerateContent", "gemini"),
]


@pytest.mark.parametrize(("path", "dialect"), CHAT)
def test_every_habit_of_clients_finds_its_dialect(path: str, dialect: str) -> None:
    route = find_route("POST", path, b"", ())
    assert (route.dialect, route.operation) == (dialect, "chat")


@pytest.mark.parametrize(("path", "_"), CHAT)
def test_the_wrong_method_is_told_which_one_is_right(path: str, _: str) -> None:
    route = find_route("GET", path, b"", ())
    assert (route.operation, route.allowed) in ((None, "POST"), ("model", ""))


@pytest.mark.parametrize(
    ("path", "query", "field", "dialect", "operation"),
    [
        ("/v1/models", b"", b"", "openai_chat", "models"),
        ("/v1/models", b"", b"anthropic-version", "anthropic", "models"),
        ("/v1/models", b"", b"x-goog-api-key", "gemini", "models"),
        ("/v1/models", b"key=k", b"", "gemini", "models"),
        ("/v1beta/models", b"", b"", "gemini", "models"),
        ("/models", b"", b"", "openai_chat", "models"),
        ("/v1/models/org/name", b"", b"", "openai_chat", "model"),
    ],
)
def test_the_model_list_comes_in_the_shape_of_who_asks(
    path: str, query: bytes, field: bytes, dialect: str, operation: str
) -> None:
    route = find_route("GET", path, query, ((field, b"x"),))
    assert (route.dialect, route.operation) == (dialect, operation)


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/nothing", "/v1modelsx", "/v1/chat", "/admin", "/v1/messages/x"]
)
def test_other_paths_have_no_route(path: str) -> None:
    assert find_route("POST", path, b"", ()).operation is None


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/v1/responses/resp_1", "response"),
        ("DELETE", "/responses/resp_1", "response"),
        ("GET", "/v1/responses/resp_1/input_items", "response"),
        ("POST", "/v1/responses/compact", "compact"),
        ("POST", "/v1/responses/input_tokens", "count_tokens"),
        ("POST", "/v1/explain", "explain"),
        ("GET", "/v1/explain", None),
        ("GET", "/api/v1/catalogue", "catalogue"),
        ("POST", "/api/v1/catalogue", None),
    ],
)
def test_kept_responses_explanations_and_the_catalogue_have_their_doors(
    method: str, path: str, operation: str | None
) -> None:
    assert find_route(method, path, b"", ()).operation == operation
