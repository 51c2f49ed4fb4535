"""A small configuration, what is served of it, and ways to spoil it."""

from allgate.admin.apply import plan_apply
from allgate.admin.records import Document, document_of
from allgate.admin.rows import (
    AccountRow,
    Declaration,
    DeploymentRow,
    KeyRow,
    ModelRow,
    PriceRow,
    UpstreamRow,
)
from allgate.core.secret import Secret
from allgate.core.value import changed
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


def upstream(**fields: object) -> Declaration:
    return changed(DECLARED, upstreams=(changed(UPSTREAM, **fields),))


def model(**fields: object) -> Declaration:
    return changed(DECLARED, models=(changed(MODEL, **fields),))


def key(**fields: object) -> Declaration:
    row = changed(ACCOUNT.keys[0], **fields)
    return changed(DECLARED, accounts=(changed(ACCOUNT, keys=(row,)),))


def deployment(**fields: object) -> Declaration:
    return model(deployments=(changed(MODEL.deployments[0], **fields),))
