"""From rows and families to public models: what is inherited, which names there are, and what is refused."""

import pytest

from allgate.admin.rows import ConfigError, DeploymentRow, KeyRow, ModelRow, PriceRow, SheetRow, UpstreamRow
from allgate.catalogue.profile import UNKNOWN, Limits
from allgate.catalogue.rows import RuleRow
from allgate.catalogue.rule import Rule
from allgate.core.secret import Secret
from allgate.core.value import changed
from allgate.identity.caller import key_hash
from allgate.providers.anthropic import MESSAGES_CAPS
from allgate.routing.catalogue import OUTPUT_TOKENS_DEFAULT, Model
from allgate.wiring.models import packaged_families
from wiring.served import DECLARED, KEY, MODEL, model, served

OPUS = "Claude-Opus-4.7"
FAMILIES = packaged_families()


def row(**fields: object) -> ModelRow:
    members = {
        "name": OPUS,
        "family": "claude-opus-4-7",
        "deployments": (DeploymentRow(upstream="a"),),
        "price": MODEL.price,
    }
    return ModelRow(**{**members, **fields})


def built(*rows: ModelRow) -> dict[str, Model]:
    return served(changed(DECLARED, models=rows)).catalogue.names


def refused(*rows: ModelRow) -> str:
    with pytest.raises(ConfigError) as error:
        built(*rows)
    return str(error.value)


def test_a_row_without_a_family_is_what_it_says_and_keeps_no_rules():
    found = built(MODEL)["Claude"]
    assert (found.profile, found.rules, found.glances) == (UNKNOWN, (), {})
    assert found.deployments[0].caps == {"anthropic": MESSAGES_CAPS}
    assert found.output_tokens_default == OUTPUT_TOKENS_DEFAULT


def test_a_row_of_a_family_inherits_everything():
    family, found = FAMILIES["claude-opus-4-7"], built(row())[OPUS]
    assert found.profile == family.profile
    assert (found.owned_by, found.output_tokens_default) == ("anthropic", 32_000)
    assert found.rules[: len(family.rules)] == family.rules
    (deployment,) = found.deployments
    assert deployment.model == "claude-opus-4-7"
    caps = deployment.caps["anthropic"]
    assert (caps.thinking, caps.image_url, caps.output_max) == ("adaptive", False, 128_000)
    assert set(found.glances) == {
        "openai_chat",
        "openai_completions",
        "openai_responses",
        "anthropic",
        "gemini",
    }


def test_what_the_row_says_replaces_what_the_family_says():
    found = built(
        row(
            summary="Ours.",
            limits=Limits(output_tokens=1_000),
            abilities=("image_input",),
            accepts=("image/png",),
            output_tokens_default=500,
            owned_by="us",
        )
    )[OPUS]
    assert (found.profile.summary, found.profile.thinking, found.owned_by) == ("Ours.", "adaptive", "us")
    caps = found.deployments[0].caps["anthropic"]
    assert (caps.tools, caps.image_mimes, caps.document_mimes, caps.output_max) == (
        False,
        ("image/png",),
        (),
        1_000,
    )
    assert "web_search" not in caps.hosted
    assert (
        Rule(action="default", settings=("max_tokens",), value=500, why="the default of this model")
        in found.rules
    )


def test_rules_are_added_and_the_familys_can_be_left_out():
    clear = RuleRow(clear=("seed",), why="w")
    rule = Rule(action="clear", settings=("seed",), why="w")
    family = FAMILIES["claude-opus-4-7"]
    found = built(row(rules=(clear,)))[OPUS]
    assert found.rules[: len(family.rules) + 1] == (*family.rules, rule)
    alone = built(row(rules=(clear,), family_rules=False))[OPUS]
    assert alone.rules[0] == rule
    assert not set(map(repr, family.rules)) & set(map(repr, alone.rules))


def test_a_deployment_keeps_rules_and_caps_of_its_own():
    own = DeploymentRow(
        upstream="a",
        model="x",
        rules=(RuleRow(clear=("seed",), why="w"),),
        caps={"anthropic": {"output_max": 7}},
    )
    found = built(row(deployments=(own, DeploymentRow(upstream="a"))))[OPUS]
    first, second = found.deployments
    assert first.rules == (*second.rules, Rule(action="clear", settings=("seed",), why="w"))
    assert (first.caps["anthropic"].output_max, second.caps["anthropic"].output_max) == (7, 128_000)
    assert (first.model, second.model) == ("x", "claude-opus-4-7")
    assert found.rules == first.rules


def test_a_model_answers_to_its_aliases_and_suffixes_but_is_listed_once():
    catalogue = served(changed(DECLARED, models=(row(aliases=("best",)),))).catalogue
    assert list(catalogue.models) == [OPUS]
    asked = {"best", "claude-4.7-opus", "best-low", f"{OPUS}-nothinking"}
    assert asked <= catalogue.names.keys()
    assert {catalogue.names[name].name for name in asked} == {OPUS}
    assert catalogue.names["best"] is catalogue.models[OPUS]


def test_the_familys_aliases_belong_to_its_public_name():
    assert "claude-4.7-opus" not in built(row(name="opus-eu"))
    assert "opus-eu-low" in built(row(name="opus-eu"))


def test_an_exact_name_wins_over_a_familys_alias():
    found = built(row(), row(name="claude-4.7-opus", family="claude-sonnet-4-6"))
    assert found["claude-4.7-opus"].profile.family == "claude-sonnet-4-6"
    assert found[OPUS].aliases == ()


def test_an_exact_name_wins_over_a_suffix():
    found = built(row(), row(name=f"{OPUS}-low", family="claude-sonnet-4-6"))
    assert found[f"{OPUS}-low"].profile.family == "claude-sonnet-4-6"


def test_who_may_use_a_model_may_use_it_by_all_its_names():
    key = KeyRow(name="k", secret=Secret(KEY), models=(OPUS,))
    account = changed(DECLARED.accounts[0], keys=(key,))
    caller = served(changed(DECLARED, models=(row(), MODEL), accounts=(account,))).callers[key_hash(KEY)]
    assert caller.models is not None
    assert {OPUS, "claude-4.7-opus", f"{OPUS}-low"} <= caller.models
    assert "Claude" not in caller.models


def test_operators_safety_settings_are_for_providers_that_have_them():
    found = built(row(safety={"HARM": "BLOCK_NONE"}))[OPUS]
    (safety,) = [rule for rule in found.rules if rule.settings == ("safety_settings",)]
    assert (safety.value, safety.to) == ([{"category": "HARM", "threshold": "BLOCK_NONE"}], ("gemini",))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ((row(family="claude-opus-47"),), "models.Claude-Opus-4.7: family: there is no family 'claude-opus-47'"),
        ((row(rules=(RuleRow(clear=("sed",), why="w"),)),), "models.Claude-Opus-4.7: rules[0]: there is no setting"),
        ((row(thinking="none"),), "suffixes: -thinking says how to think"),
        ((row(aliases=("Claude",)), MODEL), "aliases: 'Claude' is a name of 'Claude' already"),
        ((row(aliases=("x",)), row(name="other", aliases=("x",))), "models.other: aliases: 'x' is a name of"),
        ((row(family=None),), "models.Claude-Opus-4.7.deployments[0]: model: say what a calls the model"),
        (
            (row(deployments=(DeploymentRow(upstream="a", rules=(RuleRow(why="w"),)),)),),
            "models.Claude-Opus-4.7.deployments[0]: rules[0]: a rule has one of",
        ),
        ((row(price=PriceRow(input="0", output="0")),), "models.Claude-Opus-4.7: price.input: is zero"),
        ((row(price=PriceRow(input="3", output="0.000")),), "price.output: is zero; if it is meant, say `free = true`"),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_refused_with_place_and_reason(rows: tuple[ModelRow, ...], told: str):
    assert told in refused(*rows)


def test_a_zero_that_is_meant_is_said_or_has_another_price_beside_it():
    nothing = PriceRow(input="0", output="0")
    assert built(row(price=nothing, free=True))[OPUS].price_id is not None
    assert built(row(price=PriceRow(input="0", output="0", call="1")))[OPUS].price_id is not None
    embedding = row(kind="embedding", price=PriceRow(input="0.1", output="0"))
    assert built(embedding)[OPUS].price_id is not None
    assert "price: is zero" in refused(row(kind="embedding", price=nothing))


def test_a_zero_in_a_shared_sheet_is_refused_by_the_model_that_uses_it():
    sheets = (SheetRow(name="s", input="0", output="1"),)
    with pytest.raises(ConfigError, match="is zero"):
        served(changed(DECLARED, models=(row(price="s"),), prices=sheets))


def test_every_family_can_be_served_at_its_vendor_and_at_a_reseller():
    upstreams = tuple(
        UpstreamRow(
            name=provider, provider=provider, base_url="http://127.0.0.1:1", credentials=(Secret("k"),)
        )
        for provider in ("openai", "anthropic", "gemini", "xai", "openrouter", "simulator")
    )
    rows = tuple(
        row(
            name=family.public,
            family=name,
            deployments=tuple(DeploymentRow(upstream=one.name) for one in upstreams),
        )
        for name, family in FAMILIES.items()
    )
    catalogue = served(changed(DECLARED, upstreams=upstreams, models=rows)).catalogue
    assert len(catalogue.models) == len(FAMILIES)
    assert all(len(one.deployments) == len(upstreams) for one in catalogue.models.values())


def test_a_model_without_a_price_is_listed_and_refused_later():
    assert served(model(price=None)).catalogue.models["Claude"].price_id is None
