"""Which candidates may serve a request, in which order, and in which dialect each is spoken to.

A candidate is upstream + upstream model + credential + dialect. The dialect is the client's own where the deployment's
Caps for it cover everything the request asks for; else the first of the deployment's dialects whose Caps do; if none
does, the candidate is out, and when all are out the client gets a 400 that names the missing feature.

Pass-through is decided here too, per candidate: same dialect on both sides, a provider whose wire is exact, no envelope
of ours in the body, no member that the deployment does not take, and no rule of the model whose change is more than a
member of the body. Pure: the one random number comes in.
"""

from collections.abc import Iterable

from allgate.catalogue.ruled import Ruled, ruled
from allgate.catalogue.spans import is_by_span
from allgate.core.errors import ErrorKind, WireError, refused
from allgate.core.value import Value
from allgate.dialects.contract import Head
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.features import missing_feature
from allgate.providers.provider import Speaks
from allgate.routing.alternatives import UNSUPPORTED_FEATURE
from allgate.routing.catalogue import Credential, Deployment, Model
from allgate.routing.touched import touched_member


class Candidate(Value, frozen=True, kw_only=True):
    """One way to serve a request. `translated_because` says why its body is not passed through; empty: it is.

    `kept` is what the deployment's rules change in it; None: nothing in it is their business.
    """

    deployment: Deployment
    credential: Credential
    speaks: Speaks
    caps: Caps
    passthrough: bool
    translated_because: str = ""
    kept: Ruled | None = None


def plan(model: Model, head: Head, dialect: str, dice: float) -> tuple[Candidate, ...]:
    """Distinct candidates, best first: lower priority first; among equals a weighted draw, then by weight.

    `dice` is uniform in [0, 1). Raises: Refused: no deployment can do what is asked (400) or there is none (503).
    WireError: the rules of all that could do it refuse it (400).
    """
    missing: str | None = None
    refusal: WireError | None = None
    candidates: list[Candidate] = []
    for deployment in _ordered(model.deployments, dice):
        try:
            found = in_some_dialect(deployment, head, dialect, dice)
        except WireError as error:  # a rule of this deployment
            refusal = refusal or error
            continue
        if isinstance(found, Candidate):
            candidates.append(found)
        else:
            missing = missing or found
    if not candidates:
        raise refusal or _nothing_fits(model, missing)
    if head.n > 1:  # where nobody gives several, the encoder says so in the client's words
        candidates = [one for one in candidates if one.caps.n_max > 1] or candidates
    return tuple(candidates)


def _ordered(deployments: tuple[Deployment, ...], dice: float) -> Iterable[Deployment]:
    if len(deployments) == 1:
        return deployments
    ordered: list[Deployment] = []
    for priority in sorted({deployment.priority for deployment in deployments}):
        equals = [deployment for deployment in deployments if deployment.priority == priority]
        drawn = _drawn(equals, dice)
        rest = sorted((item for item in equals if item is not drawn), key=lambda item: -item.weight)
        ordered += [drawn, *rest]
    return ordered


def _drawn(equals: list[Deployment], dice: float) -> Deployment:
    """The weighted draw; where every weight is 0, the first."""
    point = dice * sum(deployment.weight for deployment in equals)
    for deployment in equals:
        point -= deployment.weight
        if point < 0:
            return deployment
    return equals[0]


def in_some_dialect(deployment: Deployment, head: Head, dialect: str, dice: float) -> Candidate | str:
    """The candidate in the best dialect, or the name of the feature that every dialect lacks.

    Raises: WireError: one of its rules refuses the request.
    """
    missing = ""
    names = deployment.upstream.dialects
    if dialect in names and names[0] != dialect:
        names = (dialect, *names)
    if head.n > 1:
        names = sorted(names, key=lambda name: name in deployment.caps and deployment.caps[name].n_max <= 1)
    for name in names:
        caps, speaks = deployment.caps.get(name), deployment.upstream.provider.in_dialect(name)
        if caps is None or speaks is None:
            continue
        lacking = missing_feature(head.features, caps) if head.features else None
        if lacking is None:
            kept = None if head.asked is None else ruled(head.asked, deployment.rules, name)
            because = _not_passed_because(head, dialect, speaks, caps, kept)
            return Candidate(
                deployment=deployment,
                credential=_credential(deployment, dice),
                speaks=speaks,
                caps=caps,
                passthrough=not because,
                translated_because=because,
                kept=kept,
            )
        missing = missing or lacking
    return missing


def _not_passed_because(head: Head, dialect: str, speaks: Speaks, caps: Caps, kept: Ruled | None) -> str:
    """The rule in the way of passing the body through; empty: none."""
    if speaks.dialect != dialect:
        return "spoken to in another dialect"
    if speaks.wire != "exact":
        return "its provider's wire is not exactly this dialect"
    if head.rewritten:
        return "the reply is written by the gateway"
    if head.sealed:
        return "the body holds a seal that only the gateway can open"
    if kept is not None and not is_by_span(kept.edits, dialect, head.fields):
        return f"a rule changes {', '.join(edit.setting for edit in kept.edits)}"
    member = touched_member(head, caps)
    return "" if member is None else f"its row has a say in '{member}'"


def _credential(deployment: Deployment, dice: float) -> Credential:
    """Several keys of one upstream rotate evenly. The draw is independent of the deployment's: it uses finer digits."""
    credentials = deployment.upstream.credentials
    if len(credentials) == 1:
        return credentials[0]
    return credentials[int(dice * 1_000_003 % 1 * len(credentials))]


def _nothing_fits(model: Model, missing: str | None) -> Exception:
    if missing:
        return refused(
            ErrorKind.UNSUPPORTED,
            f"The model '{model.name}' does not support {missing.replace('_', ' ')}. Remove it or choose another model.",
            code=UNSUPPORTED_FEATURE,
        )
    return refused(
        ErrorKind.OVERLOADED, f"The model '{model.name}' has no upstream at the moment.", code="no_upstream"
    )
