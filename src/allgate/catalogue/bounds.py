"""Which values of a setting a rule means, and the nearest one that it allows."""

from allgate.catalogue.rule import Rule
from allgate.catalogue.settings import Setting, setting
from allgate.operations.chat.request import ChatRequest
from allgate.wire.json import Json


def has_bounds(rule: Rule) -> bool:
    return bool(rule.among) or rule.below is not None or (rule.at_least, rule.at_most) != (None, None)


def is_inside(request: ChatRequest, rule: Rule, said: Json) -> bool:
    """Is this value within the rule's bounds? Numbers are compared; of anything else only `among` is asked."""
    if rule.among and said not in rule.among:
        return False
    if isinstance(said, bool) or not isinstance(said, int | float):
        return True
    if rule.at_least is not None and said < rule.at_least:
        return False
    if rule.at_most is not None and said > rule.at_most:
        return False
    limit = None if rule.below is None else setting(rule.below).said(request)
    return not isinstance(limit, int | float) or said < limit


def nearest(request: ChatRequest, rule: Rule, one: Setting, said: Json) -> Json:
    """The closest value inside. Of words the next lower one, else the next higher; and little is never nothing."""
    if is_inside(request, rule, said):
        return said
    if rule.among:
        return _nearest_word(one.ordered, rule.among, str(said))
    fit = said if rule.at_least is None else max(said, rule.at_least)
    fit = fit if rule.at_most is None else min(fit, rule.at_most)
    return int(fit) if isinstance(said, int) and float(fit).is_integer() else fit


def _nearest_word(ordered: tuple[str, ...], among: tuple[str, ...], said: str) -> str:
    rank = ordered.index(said) if said in ordered else 0
    lower = [word for word in ordered[:rank] if word in among and word != "none"]
    higher = [word for word in ordered[rank:] if word in among]
    return (lower[-1:] + higher + list(among))[0]


def in_words(request: ChatRequest, rule: Rule) -> str:
    """`at least 1024 and less than max_tokens (512)`; empty: the rule has no bounds."""
    said: list[str] = []
    if rule.at_least is not None:
        said.append(f"at least {rule.at_least:g}")
    if rule.at_most is not None:
        said.append(f"at most {rule.at_most:g}")
    if rule.among:
        said.append("one of " + ", ".join(rule.among))
    if rule.below is not None:
        said.append(f"less than {rule.below} ({setting(rule.below).said(request)})")
    return " and ".join(said)
