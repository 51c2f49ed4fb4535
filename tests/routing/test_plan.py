from collections import Counter
from random import Random

import pytest

from allgate.core.errors import ErrorKind, Refused
from allgate.core.secret import Secret
from allgate.dialects.contract import Head
from allgate.operations.chat.caps import Caps
from allgate.providers.provider import Provider, Speaks
from allgate.routing.catalogue import Credential, Deployment, Model, Upstream
from allgate.routing.plan import plan

CHAT = Caps()
NO_IMAGES = Caps(image_mimes=())
SEARCHES = Caps(hosted=("web_search",))


def deployment(
    name: str,
    *,
    priority: int = 0,
    weight: int = 1,
    caps: dict[str, Caps] | None = None,
    keys: int = 1,
    wire: str = "exact",
) -> Deployment:
    caps = caps or {"openai_chat": CHAT}
    speaks = tuple(Speaks(dialect=dialect, caps=each, wire=wire) for dialect, each in caps.items())
    provider = Provider(name=name, vendor=name, base_url=None, speaks=speaks)
    credentials = tuple(Credential(id=f"{name}#{n}", secret=Secret("x")) for n in range(keys))
    upstream = Upstream(
        name=name, provider=provider, base_url="http://u", credentials=credentials, dialects=tuple(caps)
    )
    return Deployment(upstream=upstream, model="m", priority=priority, weight=weight, caps=caps)


def names(deployments: tuple[Deployment, ...], head: Head | None = None, dice: float = 0.0) -> list[str]:
    model = Model(name="m", deployments=deployments)
    found = plan(model, head or Head(model="m"), "openai_chat", dice)
    return [candidate.deployment.upstream.name for candidate in found]


def test_lower_priority_is_tried_first_and_the_rest_are_fallbacks() -> None:
    assert names((deployment("b", priority=1), deployment("a"), deployment("c", priority=2))) == [
        "a",
        "b",
        "c",
    ]


def test_equals_share_load_by_weight() -> None:
    equals = (deployment("a", weight=3), deployment("b", weight=1), deployment("never", weight=0))
    drawn = Counter(names(equals, dice=n / 1000)[0] for n in range(1000))
    assert drawn == {"a": 750, "b": 250}
    assert set(names(equals)) == {"a", "b", "never"}


def test_several_keys_rotate_evenly_and_independently_of_the_deployment() -> None:
    model = Model(name="m", deployments=(deployment("a", keys=3), deployment("b", keys=3)))
    dice = Random(1)
    drawn = Counter(
        plan(model, Head(model="m"), "openai_chat", dice.random())[0].credential.id for _ in range(9000)
    )
    assert set(drawn) == {f"{name}#{n}" for name in "ab" for n in range(3)}
    assert max(drawn.values()) < 1.15 * min(drawn.values())


def test_the_clients_dialect_is_spoken_where_it_can_do_what_is_asked() -> None:
    both = deployment("a", caps={"openai_responses": CHAT, "openai_chat": CHAT})
    chosen = plan(Model(name="m", deployments=(both,)), Head(model="m"), "openai_chat", 0.0)[0]
    assert (chosen.speaks.dialect, chosen.passthrough) == ("openai_chat", True)


def test_a_feature_the_clients_dialect_lacks_is_asked_for_in_another() -> None:
    both = deployment("a", caps={"openai_chat": CHAT, "openai_responses": SEARCHES})
    head = Head(model="m", features=frozenset({"web_search"}))
    chosen = plan(Model(name="m", deployments=(both,)), head, "openai_chat", 0.0)[0]
    assert (chosen.speaks.dialect, chosen.passthrough) == ("openai_responses", False)


def test_a_feature_nobody_has_is_a_400_that_names_it() -> None:
    head = Head(model="m", features=frozenset({"image_input"}))
    with pytest.raises(Refused) as caught:
        names((deployment("a", caps={"openai_chat": NO_IMAGES}),), head)
    assert caught.value.failure.kind is ErrorKind.UNSUPPORTED
    assert "image input" in caught.value.failure.message


def test_a_candidate_without_the_feature_is_left_out() -> None:
    head = Head(model="m", features=frozenset({"image_input"}))
    assert names(
        (deployment("blind", caps={"openai_chat": NO_IMAGES}), deployment("b", priority=1)), head
    ) == ["b"]


@pytest.mark.parametrize("head", [Head(model="m", sealed=True), Head(model="m")])
def test_an_envelope_or_a_loose_wire_forbids_passing_through(head: Head) -> None:
    wire = "exact" if head.sealed else "loose"
    model = Model(name="m", deployments=(deployment("a", wire=wire),))
    candidate = plan(model, head, "openai_chat", 0.0)[0]
    assert not candidate.passthrough
    assert ("seal" if head.sealed else "wire") in candidate.translated_because


def test_a_candidate_says_which_member_is_in_the_way_of_passing_through() -> None:
    deaf = deployment("a", caps={"openai_chat": Caps(seed=False)})
    model = Model(name="m", deployments=(deaf,))
    head = Head(model="m", fields=frozenset({"model", "seed"}))
    assert plan(model, head, "openai_chat", 0.0)[0].translated_because == "its row has a say in 'seed'"
    assert plan(model, Head(model="m"), "openai_chat", 0.0)[0].translated_because == ""


def test_a_model_without_deployments_is_unavailable() -> None:
    with pytest.raises(Refused) as caught:
        names(())
    assert caught.value.failure.kind is ErrorKind.OVERLOADED


def test_several_answers_are_asked_of_who_gives_several() -> None:
    one, many = Caps(n_max=1), Caps(n_max=4)
    both = deployment("both", caps={"openai_responses": one, "openai_chat": many})
    several = Head(model="m", n=3)
    assert names((deployment("one", caps={"openai_chat": one}), both), several) == ["both"]
    (found,) = plan(Model(name="m", deployments=(both,)), several, "openai_responses", 0.0)
    assert found.speaks.dialect == "openai_chat"
    assert names((deployment("one", caps={"openai_chat": one}),), several) == ["one"], "whose encoder says no"
