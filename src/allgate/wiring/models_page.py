"""Writes `docs/models.md` from the families themselves: `python -m allgate.wiring.models_page > docs/models.md`.

A test compares, so what the page says of a model is what the gateway does.
"""

from collections.abc import Iterable, Iterator

from allgate.catalogue.family import Family
from allgate.catalogue.narrow import implied
from allgate.catalogue.profile import Profile
from allgate.catalogue.rule import Rule
from allgate.catalogue.settings import SETTINGS
from allgate.wiring.models import packaged_families

HEAD = """# Models

Made from the families by `python -m allgate.wiring.models_page`; a test compares.

What a model can and may do is data. The package brings **families** (`src/allgate/catalogue/families/*.toml`, one file
per vendor, each with its source); a row of your configuration names one and says what is different:

```toml
[[upstreams]]
name = "anthropic-main"
provider = "anthropic"
credentials = ["env:ANTHROPIC_API_KEY"]

[[models]]
name = "Claude-Opus-4.7"                  # what clients ask for, case-sensitive
family = "claude-opus-4-7"                # abilities, limits, rules, suffixes, the vendor's own name of the model
aliases = ["opus"]                        # other names for it, not in the list of models
deployments = [{ upstream = "anthropic-main" }]
price = { input = "5", output = "25" }
limits = { output_tokens = 32_000 }       # this row's own word: the family's other limits stay

[[models.rules]]                          # one rule more; `family_rules = false` drops the family's
clear = ["top_k"]
why = "our contract excludes it"
```

`allgate apply -f FILE` puts it in force within a second, on every node, or refuses it with file, line and reason; then
everything stays as it was. Every member is listed in [settings.md](settings.md). A model without a price is listed and refused;
a price of zero must be meant (`free = true`).

What a row does not say is its family's. A row without a family says everything itself; what nobody said is not enforced.
Three members are the operator's policy more than the model's nature: `endpoints` closes doors (a request at another one is
told where to ask), `safety` sets Gemini's safety settings in place of the client's, and `cache` says whether the gateway marks
the system prompt (`system`) and the last user turn too (`conversation`) for a vendor's prompt cache.

## Rules

A rule has one action on some settings, and a reason (`why`) that the client reads.

| action | what happens | the client sees |
|---|---|---|
| `clear` | the setting is not sent | a note in `x-allgate-notes` |
| `clamp` | it is brought to the nearest value within `at_least`, `at_most` or `among` | a note |
| `rename` | it is sent under another name: `{ system = "developer" }`, `{ max_tokens = "extra.max_new_tokens" }` | a note |
| `set` | it is sent with this value, whatever the client said | a note, if the client said something else |
| `default` | it is sent with this value where the client said nothing | a note |
| `refuse` | the request ends before anything is sent or held; with bounds (also `below`, another setting), only outside them | a 400 that says why |

All conditions of `when` must hold: `thinking` (the client asked for it), `stream`, `interleaved` (Anthropic's beta header), `together`
(all settings of the rule were said), or the name of any setting; `not ` before a word turns it round. `to` limits a rule to
providers that are spoken to in these dialects. A deployment may have rules of its own.

Settings have one name in all dialects: $settings. `thinking` is `on` or `off`; `endpoint` is the dialect
that the client speaks; `extra.NAME` is a member that only a dialect knows.

Rules are kept in all dialects alike. A body that is passed through is edited in place where the setting is a member of its
own, and translated where it is part of a larger object. A model without rules costs a request nothing.

## Names

A model answers to its `name`, to its aliases, and to these with a suffix of its family: `-thinking` and `-nothinking` switch,
`-low`, `-medium` and `-high` say how much. The name's word is above the body's. An exact name wins over a suffix:
`GPT-5.5-High` is a model of its own.
"""

TABLE = """
## Families

| family | public name | thinks | suffixes | limits | abilities |
|---|---|---|---|---|---|
"""

RULES = """
## What each family is held to

Beside these, all families keep the gateway's own bounds: what a provider's wire cannot carry is converted or noted (see
[dialects.md](dialects.md)).
"""


def models_page() -> str:
    """The page."""
    families = packaged_families()
    settings = ", ".join(f"`{name}`" for name in SETTINGS)
    parts = [HEAD.replace("$settings", settings), TABLE, *map(_row, families.values()), RULES]
    for owner, names in _by_rules(families.values()).items():
        parts.append(owner + "".join(f"- {line}\n" for line in names))
    return "".join(parts)


def _row(family: Family) -> str:
    profile = family.profile
    cells = (
        f"`{family.name}`",
        f"`{family.public}`",
        _thinking(profile),
        " ".join(f"`{suffix}`" for suffix in profile.suffixes),
        _limits(profile),
        ", ".join(profile.abilities or ()).replace("_", " "),
    )
    return f"| {' | '.join(cells)} |\n"


def _thinking(profile: Profile) -> str:
    words = profile.efforts or profile.levels
    return f"{profile.thinking}: {', '.join(words)}" if words else profile.thinking or ""


def _limits(profile: Profile) -> str:
    limits = profile.limits
    said = (("context", limits.context_tokens), ("output", limits.output_tokens))
    return ", ".join(f"{name} {count:,}" for name, count in said if count)


def _by_rules(families: Iterable[Family]) -> dict[str, list[str]]:
    """Heading → rules; families with the same rules share one."""
    found: dict[tuple[str, ...], list[str]] = {}
    for family in families:
        rules = (*family.rules, *implied(family.profile, family.output_tokens_default))
        lines = tuple(dict.fromkeys(line for rule in rules for line in _lines(rule)))
        found.setdefault(lines, []).append(family.public)
    headings = {lines: ", ".join(f"`{name}`" for name in names) for lines, names in found.items() if lines}
    return {f"\n### {heading}\n\n": list(lines) for lines, heading in headings.items()}


def _lines(rule: Rule) -> Iterator[str]:
    names = ", ".join(f"`{name}`" for name in rule.settings)
    towards = f" (towards {', '.join(rule.to)})" if rule.to else ""
    when = f" when {' and '.join(rule.when)}" if rule.when else ""
    yield f"{_action(rule, names)}{when}{towards}{f': {rule.why}' if rule.why else ''}"


def _action(rule: Rule, names: str) -> str:
    match rule.action:
        case "clear":
            return f"{names} not sent"
        case "clamp":
            return f"{names} brought to {_bounds(rule)}"
        case "rename":
            return f"{names} sent as `{rule.value}`"
        case "set":
            return f"{names} always {rule.value}"
        case "default":
            return f"{names} {rule.value} unless said"
        case "refuse":
            return f"{names} must be {_bounds(rule)}" if _bounds(rule) else f"{names} refused"


def _bounds(rule: Rule) -> str:
    said = (
        "" if rule.at_least is None else f"at least {rule.at_least:,.10g}",
        "" if rule.at_most is None else f"at most {rule.at_most:,.10g}",
        "" if not rule.among else f"one of {', '.join(rule.among)}",
        "" if rule.below is None else f"below `{rule.below}`",
    )
    return " and ".join(part for part in said if part)


if __name__ == "__main__":
    print(models_page(), end="")  # noqa: T201  this is what it is for
