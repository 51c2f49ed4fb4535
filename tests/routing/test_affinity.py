"""The issuer of a seal goes before its equals, and before nobody else."""

from allgate.core.secret import Secret
from allgate.core.value import changed
from allgate.operations.chat.caps import Caps
from allgate.providers.simulator import SIMULATOR
from allgate.routing.affinity import Home, home_of, homeward, may_stray
from allgate.routing.catalogue import Credential, Deployment, Model, Upstream
from allgate.routing.plan import Candidate


def candidate(name: str, *, priority: int = 0, origin: str = "anthropic") -> Candidate:
    upstream = Upstream(
        name=name,
        provider=SIMULATOR,
        base_url="http://x",
        credentials=tuple(Credential(id=f"{name}#{n}", secret=Secret("s")) for n in (1, 2)),
        dialects=("anthropic",),
    )
    caps = Caps(seal_origin=origin)
    deployment = Deployment(upstream=upstream, model="up", priority=priority, caps={"anthropic": caps})
    return Candidate(
        deployment=deployment,
        credential=upstream.credentials[0],
        speaks=SIMULATOR.speaks[0],
        caps=caps,
        passthrough=True,
    )


def names(candidates: tuple[Candidate, ...]) -> list[str]:
    return [one.deployment.upstream.name for one in candidates]


A, B, C = candidate("a"), candidate("b"), candidate("c", priority=1)
ALL = (A, B, C)


def test_the_issuer_goes_first_under_the_credential_that_it_was_issued_under() -> None:
    home = Home(upstream="b", model="up", credential="b#2")
    ordered = homeward(ALL, home, "")
    assert names(ordered) == ["b", "a", "c"]
    assert home_of(ordered[0]) == home


def test_a_credential_that_is_gone_does_not_keep_the_issuer_away() -> None:
    ordered = homeward(ALL, Home(upstream="b", model="up", credential="b#9"), "")
    assert (names(ordered), ordered[0].credential.id) == (["b", "a", "c"], "b#1")


def test_priority_stays_above_affinity() -> None:
    ordered = homeward(ALL, Home(upstream="c", model="up", credential="c#2"), "")
    assert names(ordered) == ["a", "b", "c"]
    assert ordered[2].credential.id == "c#2"


def test_where_the_issuer_is_unknown_a_vendor_that_can_read_the_seal_goes_first() -> None:
    reader = candidate("reader", origin="gemini")
    assert names(homeward((A, reader, C), None, "gemini")) == ["reader", "a", "c"]
    gone = Home(upstream="gone", model="up", credential="gone#1")
    assert names(homeward((A, reader, C), gone, "gemini")) == ["reader", "a", "c"]


def test_nothing_moves_for_a_seal_that_nobody_here_reads() -> None:
    assert homeward(ALL, None, "openai") == ALL
    assert homeward(ALL, None, "") == ALL


def test_only_a_model_with_several_homes_may_stray() -> None:
    model = Model(name="m", deployments=(A.deployment,))
    assert may_stray(model)
    upstream = changed(A.deployment.upstream, credentials=A.deployment.upstream.credentials[:1])
    single = changed(A.deployment, upstream=upstream)
    assert not may_stray(changed(model, deployments=(single,)))
    assert may_stray(changed(model, deployments=(single, single)))
    assert not may_stray(changed(model, deployments=()))
