"""Key records to the callers that the request path looks up by hash."""

from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_network

from allgate.admin.records import Document, KeyRecord
from allgate.admin.rows import ConfigError
from allgate.core.value import changed
from allgate.dialects import CHAT_DIALECTS
from allgate.identity.caller import Caller
from allgate.routing.catalogue import Model


def callers(document: Document, names: Mapping[str, Model], *, loopback: bool) -> dict[str, Caller]:
    """Every caller that may come in, by the hash of the key. Keys whose account or self is disabled are not there, and
    demo keys only where the listener is `loopback`. A rotated key has two hashes for a while. Who may use a model may use it by all of its `names`.

    Raises: ConfigError."""
    others: dict[str, set[str]] = {}
    for name, model in names.items():
        others.setdefault(model.name, set()).add(name)
    found: dict[str, Caller] = {}
    for name, kept in document.keys.items():
        account = document.accounts.get(kept.record.account)
        if account is None:
            raise ConfigError(f"keys.{name}", "account", f"there is no account {kept.record.account!r}")
        caller = _caller(kept.record, account.record.group, others, f"keys.{name}")
        if not (kept.disabled or account.disabled) and (loopback or not caller.loopback_only):
            found[kept.record.hash] = caller
            if (previous := kept.record.previous) is not None:
                until_s = _time_s(previous.until, f"keys.{name}")
                ends_s = until_s if caller.expires_s is None else min(until_s, caller.expires_s)
                found[previous.hash] = changed(caller, expires_s=ends_s)
    return found


def _caller(record: KeyRecord, group: str | None, others: Mapping[str, set[str]], where: str) -> Caller:
    return Caller(
        account_id=record.account,
        key_id=record.id,
        key_name=record.name,
        models=None
        if record.models is None
        else frozenset(record.models).union(*(others.get(model, ()) for model in record.models)),
        dialects=None if record.dialects is None else _dialects(record.dialects, where),
        networks=tuple(_network(text, where) for text in record.networks),
        expires_s=None if record.expires is None else _time_s(record.expires, where),
        loopback_only=record.loopback_only,
        group=group,
    )


def _dialects(names: tuple[str, ...], where: str) -> frozenset[str]:
    for name in names:
        if name not in CHAT_DIALECTS:
            known = ", ".join(sorted(CHAT_DIALECTS))
            raise ConfigError(where, "dialects", f"there is no dialect {name!r}; there are: {known}")
    return frozenset(names)


def _network(text: str, where: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ConfigError(where, "networks", str(error)) from error


def _time_s(text: str, where: str) -> float:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(where, "expires", f"is no ISO date or time: {text!r}") from error
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
