"""Seals go home: a request that brings sealed reasoning back is asked where it was sealed.

A vendor's newer models bind it to an organisation, and refuse the request, or lose the reasoning, anywhere else. So of
deployments that are equal in priority the issuer goes first, with the credential it was issued under; where nobody
remembers the issuer (another node, a restart), those go first that read that vendor's seals. Priority is the operator's
word and stays above this: what fails over to another priority comes back as soon as the first can serve again, and the
seals that are not its own are left out by the encoder.
"""

from allgate.core.value import Value, changed
from allgate.routing.catalogue import Model
from allgate.routing.plan import Candidate


class Home(Value, frozen=True, kw_only=True):
    """Who issued a seal, by names that outlive a change of the configuration."""

    upstream: str
    model: str
    credential: str


def home_of(candidate: Candidate) -> Home:
    """Where this candidate's seals are at home."""
    deployment = candidate.deployment
    return Home(upstream=deployment.upstream.name, model=deployment.model, credential=candidate.credential.id)


def may_stray(model: Model) -> bool:
    """True where two requests for this model may go to different homes."""
    deployments = model.deployments
    return len(deployments) > 1 or (bool(deployments) and len(deployments[0].upstream.credentials) > 1)


def homeward(candidates: tuple[Candidate, ...], home: Home | None, origin: str) -> tuple[Candidate, ...]:
    """The candidates, with the issuer's before its equals; `origin` is the vendor whose seals these are, where unknown ""."""
    for place, candidate in enumerate(candidates):
        if (
            home is not None
            and home_of(candidate).model == home.model
            and _upstream(candidate) == home.upstream
        ):
            return _before_equals(candidates, place, _with_credential(candidate, home.credential))
    for place, candidate in enumerate(candidates):
        if origin and candidate.caps.seal_origin == origin:
            return _before_equals(candidates, place, candidate)
    return candidates


def _upstream(candidate: Candidate) -> str:
    return candidate.deployment.upstream.name


def _with_credential(candidate: Candidate, credential_id: str) -> Candidate:
    """The candidate under this credential of its upstream; as it is where the credential is gone."""
    for credential in candidate.deployment.upstream.credentials:
        if credential.id == credential_id:
            return changed(candidate, credential=credential)
    return candidate


def _before_equals(
    candidates: tuple[Candidate, ...], place: int, candidate: Candidate
) -> tuple[Candidate, ...]:
    """`candidate`, which stands at `place`, moved ahead of those before it that have its priority."""
    first = place
    while first and candidates[first - 1].deployment.priority == candidate.deployment.priority:
        first -= 1
    others = (*candidates[:place], *candidates[place + 1 :])
    return (*others[:first], candidate, *others[first:])
