"""From a file's rows to what is served, and every way in which rows can be wrong."""

from decimal import Decimal
from ipaddress import ip_network

import pytest

from allgate.admin.apply import plan_apply
from allgate.admin.records import Document, Kept, document_of
from allgate.admin.rows import (
    AccountRow,
    ConfigError,
    Declaration,
    DeploymentRow,
    KeyRow,
    ModelRow,
    PriceRow,
    SheetRow,
    UpstreamRow,
)
from allgate.core.secret import Secret
from allgate.core.value import changed
from allgate.identity.caller import key_hash
from allgate.providers.anthropic import MESSAGES_CAPS
from allgate.wiring.directory import LiveDirectory
from allgate.wiring.registry import Snapshot, packaged_providers, snapshot

KEY = "sk-allgate-0123456789abcdef0123456789"
DEMO = "sk-allgate-demo-0000000000000000"
UPSTREAM = UpstreamRow(
    name="a",
    provider="anthropic",
    base_url="http://127.0.0.1:9001/",
    credentials=(Secret("env:A"), Secret("sk-2")),
)
MODEL = ModelRow(
    name="Claude",
    deployments=(DeploymentRow(upstream="a", model="claude-x", priority=1, weight=3),),
    price=PriceRow(input="3", output="15", source="the page"),
)
ACCOUNT = AccountRow(name="demo", balance_usd="10", keys=(KeyRow(name="k", secret=Secret(KEY)),))
DECLARED = Declaration(upstreams=(UPSTREAM,), models=(MODEL,), accounts=(ACCOUNT,))
PROVIDERS = packaged_providers()


def as_is(reference: Secret, _: str) -> Secret:
    return reference


def served(declared: Declaration | Document, *, loopback: bool = True, resolve=as_is) -> Snapshot:
    document = declared if isinstance(declared, Document) else document_of(declared, as_is)
    return snapshot(document, PROVIDERS, resolve, revision=7, loopback=loopback)


def without(name: str) -> Document:
    """The document after a file that names everything but one row."""
    rows = {
        table: tuple(row for row in getattr(DECLARED, table) if row.name != name)
        for table in ("upstreams", "models", "accounts")
    }
    current = document_of(DECLARED, as_is)
    return plan_apply(current, document_of(Declaration(**rows), as_is)).document


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


def test_a_price_is_exact_and_its_id_follows_its_content():
    first = served(DECLARED)
    price_id = first.catalogue.models["Claude"].price_id
    assert price_id is not None
    assert price_id.startswith("Claude@")
    assert first.sheets[price_id].input == Decimal(3)
    assert first.sheets[price_id].source == "the page"
    dearer = changed(MODEL, price=PriceRow(input="3", output="15.1", source="the page"))
    assert served(changed(DECLARED, models=(dearer,))).catalogue.models["Claude"].price_id != price_id


def test_several_models_share_a_sheet():
    models = tuple(changed(MODEL, name=name, price="shared") for name in ("A", "B"))
    declared = changed(DECLARED, models=models, prices=(SheetRow(name="shared", input="1", output="2"),))
    found = served(declared)
    assert {model.price_id for model in found.catalogue.models.values()} == set(found.sheets)


def test_a_model_without_a_price_is_listed_with_none():
    assert (
        served(changed(DECLARED, models=(changed(MODEL, price=None),))).catalogue.models["Claude"].price_id
        is None
    )


def test_a_deployment_narrows_and_widens_what_its_provider_can():
    row = DeploymentRow(
        upstream="a", model="m", caps={"anthropic": {"thinking": "adaptive", "image_mimes": []}}
    )
    declared = changed(DECLARED, models=(changed(MODEL, deployments=(row,)),))
    (deployment,) = served(declared).catalogue.models["Claude"].deployments
    assert deployment.caps["anthropic"] == changed(MESSAGES_CAPS, thinking="adaptive", image_mimes=())


def test_a_key_finds_its_caller():
    row = KeyRow(
        name="k", secret=Secret(KEY), models=("Claude",), networks=("10.0.0.0/8", "::1"), expires="2026-01-01"
    )
    found = served(changed(DECLARED, accounts=(changed(ACCOUNT, keys=(row,)),))).callers[key_hash(KEY)]
    assert (found.account_id, found.key_id, found.key_name) == ("demo", "demo/k", "k")
    assert found.models == {"Claude"}
    assert found.networks == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert found.expires_s == 1767225600  # midnight UTC: `date -d 2026-01-01T00:00Z +%s`


def test_a_time_of_expiry_says_its_own_zone():
    row = KeyRow(name="k", secret=Secret(KEY), expires="2026-01-01T01:00:00+01:00")
    found = served(changed(DECLARED, accounts=(changed(ACCOUNT, keys=(row,)),))).callers[key_hash(KEY)]
    assert found.expires_s == 1767225600


def test_opening_balances_are_of_every_account():
    assert served(DECLARED).grants_nano_usd == {"demo": 10_000_000_000}


@pytest.mark.parametrize(("loopback", "in_it"), [(True, True), (False, False)])
def test_a_demo_key_opens_a_loopback_listener_only(loopback: bool, in_it: bool):
    keys = (KeyRow(name="k", secret=Secret(KEY)), KeyRow(name="demo", secret=Secret(DEMO)))
    declared = changed(DECLARED, accounts=(changed(ACCOUNT, keys=keys),))
    callers = served(declared, loopback=loopback).callers
    assert (key_hash(DEMO) in callers) is in_it
    assert key_hash(KEY) in callers


def test_a_disabled_model_is_not_served():
    assert served(without("Claude")).catalogue.models == {}


def test_the_keys_of_a_disabled_account_open_nothing():
    assert served(without("demo")).callers == {}


def test_a_disabled_key_opens_nothing():
    document = document_of(DECLARED, as_is)
    kept = changed(document.keys["demo/k"], disabled=True)
    assert served(changed(document, keys={"demo/k": kept})).callers == {}


def test_a_disabled_upstream_runs_nothing_and_needs_no_credential():
    def no_longer_there(reference: Secret, place: str) -> Secret:
        raise ConfigError("", place, f"{reference} is gone")

    document = document_of(DECLARED, as_is)
    off = {"a": Kept(record=UPSTREAM, disabled=True)}
    found = served(changed(document, upstreams=off), resolve=no_longer_there)
    assert found.catalogue.models["Claude"].deployments == ()


def test_the_price_of_a_disabled_sheet_is_none():
    document = document_of(DECLARED, as_is)
    off = {"Claude": changed(document.sheets["Claude"], disabled=True)}
    assert served(changed(document, sheets=off)).catalogue.models["Claude"].price_id is None


def upstream(**fields: object) -> Declaration:
    return changed(DECLARED, upstreams=(changed(UPSTREAM, **fields),))


def model(**fields: object) -> Declaration:
    return changed(DECLARED, models=(changed(MODEL, **fields),))


def key(**fields: object) -> Declaration:
    row = changed(ACCOUNT.keys[0], **fields)
    return changed(DECLARED, accounts=(changed(ACCOUNT, keys=(row,)),))


def deployment(**fields: object) -> Declaration:
    return model(deployments=(changed(MODEL.deployments[0], **fields),))


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
    (model(price=PriceRow(input="3,5", output="1")), r"prices\.Claude: input: is no decimal number: '3,5'"),
    (model(price=PriceRow(input="-1", output="1")), r"prices\.Claude: input: must be between 0 and"),
    (model(price=PriceRow(input="NaN", output="1")), r"prices\.Claude: input: must be between 0 and"),
    (model(price=PriceRow(input="1", output="1000001")), r"prices\.Claude: output: must be between 0 and"),
    (key(networks=("10.0.0.1/8",)), r"keys\.demo/k: networks: 10\.0\.0\.1/8 has host bits set"),
    (key(expires="soon"), r"keys\.demo/k: expires: is no ISO date or time: 'soon'"),
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


def test_a_swap_shows_the_new_whole_and_keeps_old_prices():
    directory = LiveDirectory(first := served(DECLARED))
    old_price = first.catalogue.models["Claude"].price_id
    assert old_price is not None
    kept = directory.catalogue
    directory.swap(served(changed(model(price=PriceRow(input="4", output="15")), accounts=())))
    assert directory.catalogue is not kept
    assert directory.caller(key_hash(KEY)) is None
    new_price = directory.catalogue.models["Claude"].price_id
    assert new_price not in (None, old_price)
    assert directory.price(old_price) is not None  # a request under way is charged by it
    assert directory.price("nobody@0") is None
