"""What is kept of the configuration: rows in the form of the database, as one value per revision.

A declaration says keys by their secret and prices inside models; a record holds what may be kept: the hash of a key and
the name of a sheet. A model's own price becomes a sheet of the model's name. All records of one revision are a
`Document`, which is written beside the tables and read whole by every serving node: one row, one read, one swap.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, Literal, TypeVar

import msgspec

from allgate.admin.price_rows import BudgetRow, GroupRow, SheetRow
from allgate.admin.rows import ConfigError, Declaration, DeploymentRow, KeyRow, ModelRow, UpstreamRow
from allgate.catalogue.rows import ProfileRow, RuleRow
from allgate.core.money import NanoUsd, usd
from allgate.core.secret import Secret
from allgate.core.value import Value
from allgate.identity.caller import key_hash

ManagedBy = Literal["file", "console"]
Resolve = Callable[[Secret, str], Secret]
"""(reference, place for errors) → the secret. Raises: ConfigError."""

KEY_CHARACTERS_MIN = 22
"""What 128 bits take in base64: a shorter key can be guessed, and SHA-256 without salt would not protect it."""

HINT_CHARACTERS = 15
"""How much of a key may be shown to recognize it by: our prefix and four more, which leaves it 100 bits strong."""


class ModelRecord(Value, frozen=True, kw_only=True):
    """A public model; `sheet` names its prices. `profile` None: nothing of it differs from the family's."""

    name: str
    deployments: tuple[DeploymentRow, ...] = ()
    sheet: str | None = None
    output_tokens_default: int | None = None
    owned_by: str = ""
    family: str | None = None
    aliases: tuple[str, ...] = ()
    profile: ProfileRow | None = None
    rules: tuple[RuleRow, ...] = ()
    family_rules: bool = True
    free: bool = False


class AccountRecord(Value, frozen=True, kw_only=True):
    """Who pays. The opening balance is granted once; a later file cannot change it."""

    name: str
    opening_nano_usd: NanoUsd = NanoUsd(0)
    group: str | None = None


class PreviousSecret(Value, frozen=True, kw_only=True):
    """The secret that a key had before it was rotated, and until when it still opens (ISO time)."""

    hash: str
    hint: str
    until: str


class KeyRecord(Value, frozen=True, kw_only=True):
    """A key without its secret. `hint` is its beginning; `hash` is SHA-256 in hex."""

    account: str
    name: str
    hash: str
    hint: str
    models: tuple[str, ...] | None = None
    dialects: tuple[str, ...] | None = None
    networks: tuple[str, ...] = ()
    expires: str | None = None
    loopback_only: bool = False
    budget: BudgetRow | None = None
    previous: PreviousSecret | None = None

    @property
    def id(self) -> str:
        return key_id(self.account, self.name)


RecordT_co = TypeVar("RecordT_co", bound=Value, covariant=True)
RecordT = TypeVar("RecordT", bound=Value)


class Kept(Value, Generic[RecordT_co], frozen=True, kw_only=True):
    """A record, who manages it, and whether it is switched off."""

    record: RecordT_co
    managed_by: ManagedBy = "file"
    disabled: bool = False


class Document(Value, frozen=True, kw_only=True):
    """Every record by its name; keys by "account/name"."""

    upstreams: dict[str, Kept[UpstreamRow]] = {}
    sheets: dict[str, Kept[SheetRow]] = {}
    models: dict[str, Kept[ModelRecord]] = {}
    groups: dict[str, Kept[GroupRow]] = {}
    accounts: dict[str, Kept[AccountRecord]] = {}
    keys: dict[str, Kept[KeyRecord]] = {}

    def tables(self) -> dict[str, Mapping[str, Kept[Value]]]:
        """Every table by its name, in the order in which rows refer to one another."""
        return {
            "upstreams": self.upstreams,
            "sheets": self.sheets,
            "models": self.models,
            "groups": self.groups,
            "accounts": self.accounts,
            "keys": self.keys,
        }


DEMO_KEY_PREFIX = "sk-allgate-demo-"
"""Keys that the documentation prints. They open nothing but a loopback listener."""


def document_of(declared: Declaration, resolve: Resolve) -> Document:
    """The records that a file asks for, all managed by it.

    Raises: ConfigError: a name twice, a key too short or twice, an amount that is none.
    """
    sheets = [*declared.prices, *(sheet for row in declared.models if (sheet := _own_sheet(row)))]
    keys = [
        key_record(account.name, key, resolve(key.secret, f"accounts.{account.name}.keys.{key.name}.secret"))
        for account in declared.accounts
        for key in account.keys
    ]
    document = Document(
        upstreams=_by_name("upstreams", declared.upstreams, lambda row: row.name),
        sheets=_by_name("prices", sheets, lambda row: row.name),
        models=_by_name("models", [_model(row) for row in declared.models], lambda row: row.name),
        groups=_by_name("groups", declared.groups, lambda row: row.name),
        accounts=_by_name(
            "accounts",
            [
                AccountRecord(
                    name=row.name, opening_nano_usd=_opening(row.name, row.balance_usd), group=row.group
                )
                for row in declared.accounts
            ],
            lambda row: row.name,
        ),
        keys=_by_name("keys", keys, lambda row: row.id),
    )
    check_keys(document)
    return document


def key_id(account: str, name: str) -> str:
    return f"{account}/{name}"


def key_record(account: str, row: KeyRow, secret: Secret) -> KeyRecord:
    """The record of a key. Raises: ConfigError: it is too short to be safe."""
    text = secret.reveal()
    if len(text) < KEY_CHARACTERS_MIN:
        raise ConfigError(
            f"accounts.{account}.keys.{row.name}",
            "secret",
            f"is shorter than {KEY_CHARACTERS_MIN} characters",
        )
    return KeyRecord(
        account=account,
        name=row.name,
        hash=key_hash(text),
        hint=text[:HINT_CHARACTERS],
        models=row.models,
        dialects=row.dialects,
        networks=row.networks,
        expires=row.expires,
        loopback_only=text.startswith(DEMO_KEY_PREFIX),
        budget=row.budget,
    )


def check_keys(document: Document) -> None:
    """No two keys have one secret. Raises: ConfigError."""
    owners: dict[str, str] = {}
    for name, kept in document.keys.items():
        previous = kept.record.previous
        for one in (kept.record.hash, *(() if previous is None else (previous.hash,))):
            if (owner := owners.setdefault(one, name)) != name:
                raise ConfigError("keys", name, f"has the same secret as {owner}")


def to_json(document: Document) -> bytes:
    """The document as JSON, credentials included: for the database only."""
    return msgspec.json.encode(document, enc_hook=encode_secret)


def from_json(text: bytes | str) -> Document:
    """Raises: msgspec.ValidationError: written by a newer version."""
    return msgspec.json.decode(text, type=Document, dec_hook=decode_secret)


def _own_sheet(row: ModelRow) -> SheetRow | None:
    if row.price is None or isinstance(row.price, str):
        return None
    return msgspec.convert(msgspec.structs.asdict(row.price) | {"name": row.name}, SheetRow)


def _model(row: ModelRow) -> ModelRecord:
    return ModelRecord(
        name=row.name,
        deployments=row.deployments,
        sheet=row.price if row.price is None or isinstance(row.price, str) else row.name,
        output_tokens_default=row.output_tokens_default,
        owned_by=row.owned_by,
        family=row.family,
        aliases=row.aliases,
        profile=_said(row),
        rules=row.rules,
        family_rules=row.family_rules,
        free=row.free,
    )


def _said(row: ModelRow) -> ProfileRow | None:
    """What the row says of its profile; None: nothing."""
    profile = ProfileRow(**{name: getattr(row, name) for name in ProfileRow.__struct_fields__})
    return None if profile == ProfileRow() else profile


def _by_name(
    table: str, rows: Iterable[RecordT], name_of: Callable[[RecordT], str]
) -> dict[str, Kept[RecordT]]:
    kept: dict[str, Kept[RecordT]] = {}
    for row in rows:
        name = name_of(row)
        if name in kept:
            raise ConfigError(table, name, "is there twice; names are unique")
        kept[name] = Kept(record=row)
    return kept


def _opening(account: str, text: str) -> NanoUsd:
    if account.startswith("house:"):
        raise ConfigError(f"accounts.{account}", "name", "names that begin with house: are the gateway's own")
    try:
        amount = usd(text)
    except ValueError as error:
        raise ConfigError(f"accounts.{account}", "balance_usd", str(error)) from error
    if amount < 0:
        raise ConfigError(f"accounts.{account}", "balance_usd", "is negative")
    return amount


def encode_secret(value: object) -> str:
    """msgspec's hook for writing a Secret: only into the database, or to the process that owns it."""
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"a document holds no {type(value).__name__}")


def decode_secret(kind: type, value: object) -> Secret:
    """msgspec's hook for reading one."""
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"a document holds no {kind.__name__}")
