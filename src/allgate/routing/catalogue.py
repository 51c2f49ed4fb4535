"""What can be served, as one frozen value: public models, and where each of them runs.

A snapshot is built by `wiring` from the rows of the database and swapped atomically; a request keeps the snapshot it
began with. Nothing here knows a dialect's format or opens a connection.
"""

from allgate.catalogue.asked import Glance
from allgate.catalogue.profile import UNKNOWN, Profile
from allgate.catalogue.rule import Rule
from allgate.core.secret import Secret
from allgate.core.value import Value
from allgate.operations.chat.caps import Caps
from allgate.providers.provider import Provider

OUTPUT_TOKENS_DEFAULT = 4_096
"""Output bound of a model whose row says none and whose client sent none: used for the hold and sent upstream."""


class Credential(Value, frozen=True, kw_only=True, cache_hash=True):
    """One key of ours at a provider. `id` may be shown ("anthropic-main#1"); the secret never."""

    id: str
    secret: Secret


class Upstream(Value, frozen=True, kw_only=True):
    """An account of the operator at a provider. `base_url` has no trailing slash."""

    name: str
    provider: Provider
    base_url: str
    credentials: tuple[Credential, ...]
    dialects: tuple[str, ...]  # what it may be spoken to in, in order of preference
    proxy: str | None = None
    ca_file: str | None = None


class Deployment(Value, frozen=True, kw_only=True):
    """A model at an upstream: lower `priority` is tried first; `weight` shares load among equals (0: only as fallback).

    `caps` is per dialect: the provider's, narrowed or widened by the model's profile and the row. `rules` are the model's
    and the row's own.
    """

    upstream: Upstream
    model: str
    priority: int = 0
    weight: int = 1
    caps: dict[str, Caps]
    rules: tuple[Rule, ...] = ()


class Model(Value, frozen=True, kw_only=True):
    """A public model. `price_id` names its sheet; None means it is listed but refused (`price_missing`).

    `rules` are all that its deployments keep, together: where it is empty, no request for the model is looked at twice.
    `glances` is how these rules look at bodies, by the dialect of the client.
    """

    name: str
    deployments: tuple[Deployment, ...]
    price_id: str | None = None
    output_tokens_default: int = OUTPUT_TOKENS_DEFAULT
    created_s: int = 0
    owned_by: str = ""
    aliases: tuple[str, ...] = ()
    profile: Profile = UNKNOWN
    rules: tuple[Rule, ...] = ()
    glances: dict[str, Glance] = {}


class Catalogue(Value, frozen=True, kw_only=True):
    """All public models by name (names are case-sensitive), and the revision of the rows it was built from.

    `models` is what lists show. `names` is what clients may ask for: these, their aliases, and their names with suffixes.
    """

    models: dict[str, Model]
    names: dict[str, Model]
    revision: int = 0
