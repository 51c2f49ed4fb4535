"""From a file's rows to what is served, and every way in which rows can be wrong."""

import pytest

from allgate.admin.records import Kept, document_of
from allgate.admin.rows import ConfigError, Declaration, DeploymentRow
from allgate.core.secret import Secret
from allgate.core.value import changed
from allgate.providers.anthropic import MESSAGES_CAPS
from wiring.served import (
    DECLARED,
    MODEL,
    PROVIDERS,
    UPSTREAM,
    as_is,
    deployment,
    model,
    served,
    upstream,
    without,
)


def test_every_row_of_a_provider_is_packaged_and_parses():
    assert {
        "openai", "anthropic", "gemini", "xai", "simulator", "deepseek", "moonshot", "zhipu", "qwen", "doubao", "baidu",
        "minimax", "siliconflow", "mistral", "groq", "openrouter", "together", "perplexity", "ollama", "vllm",
    } == PROVIDERS.keys()  # fmt: skip


def test_a_model_leads_to_its_upstream():
    catalogue = served(DECLARED).catalogue
    assert catalogue.revision == 7
    (deployment,) = catalogue.models["Claude"].deployments
    assert (deployment.model, deployment.priority, deployment.weight) == ("claude-x", 1, 3)
    assert deployment.caps == {"anthropic": MESSAGES_CAPS}
    upstream = deployment.upstream
    assert (upstream.name, upstream.base_url, upstream.dialects) == (
        "a",
        "http://127.0.0.1:9001",
        ("anthropic",),
    )
    assert [(one.id, one.secret.reveal()) for one in upstream.credentials] == [
        ("a#1", "env:A"),
        ("a#2", "sk-2"),
    ]


def test_an_upstream_without_an_address_has_its_providers():
    declared = changed(DECLARED, upstreams=(changed(UPSTREAM, base_url=None),))
    (deployment,) = served(declared).catalogue.models["Claude"].deployments
    assert deployment.upstream.base_url == "https://api.anthropic.com"


def test_a_deployment_narrows_and_widens_what_its_provider_can():
    row = DeploymentRow(
        upstream="a", model="m", caps={"anthropic": {"thinking": "adaptive", "image_mimes": []}}
    )
    declared = changed(DECLARED, models=(changed(MODEL, deployments=(row,)),))
    (deployment,) = served(declared).catalogue.models["Claude"].deployments
    assert deployment.caps["anthropic"] == changed(MESSAGES_CAPS, thinking="adaptive", image_mimes=())


def test_opening_balances_are_of_every_account():
    assert served(DECLARED).grants_nano_usd == {"demo": 10_000_000_000}


def test_a_disabled_model_is_not_served():
    assert served(without("Claude")).catalogue.models == {}


def test_a_disabled_upstream_runs_nothing_and_needs_no_credential():
    def no_longer_there(reference: Secret, place: str) -> Secret:
        raise ConfigError("", place, f"{reference} is gone")

    document = document_of(DECLARED, as_is)
    off = {"a": Kept(record=UPSTREAM, disabled=True)}
    found = served(changed(document, upstreams=off), resolve=no_longer_there)
    assert found.catalogue.models["Claude"].deployments == ()


WRONG = [
    (
        upstream(provider="anthropik"),
        r"upstreams\.a: provider: unknown provider 'anthropik'; there are anthropic, ",
    ),
    (upstream(provider="simulator", base_url=None), r"upstreams\.a: base_url: simulator has no address"),
    (upstream(base_url="ftp://x"), r"upstreams\.a: base_url: must be http"),
    (upstream(base_url="http://u:p@x"), r"upstreams\.a: base_url: must be http"),
    (upstream(base_url="https://x/?key=1"), r"upstreams\.a: base_url: must be http"),
    (upstream(base_url="https:///v1"), r"upstreams\.a: base_url: must be http"),
    (
        upstream(dialects=("gemini",)),
        r"upstreams\.a: dialects: anthropic does not speak 'gemini'; it speaks anthropic",
    ),
    (deployment(upstream="b"), r"models\.Claude\.deployments\[0\]: upstream: there is no upstream 'b'"),
    (deployment(caps={"gemini": {}}), r"deployments\[0\]: caps\.gemini: a is not spoken to in 'gemini'"),
    (deployment(caps={"anthropic": {"x": 1}}), r"caps\.anthropic: Caps has no `x`"),
    (deployment(caps={"anthropic": {"stop_max": "1"}}), r"caps\.anthropic: Expected `int`, got `str`"),
    (model(price="none"), r"models\.Claude: price: there is no price sheet 'none'"),
]


@pytest.mark.parametrize(("declared", "complaint"), WRONG)
def test_a_wrong_row_is_told_its_place_and_reason(declared: Declaration, complaint: str):
    with pytest.raises(ConfigError, match=complaint):
        served(declared)


def test_a_missing_credential_is_told_its_upstream():
    def missing(_: Secret, place: str) -> Secret:
        raise ConfigError("", place, "environment variable A is not set")

    with pytest.raises(ConfigError, match=r"upstreams\.a\.credentials: environment variable A is not set"):
        served(DECLARED, resolve=missing)
