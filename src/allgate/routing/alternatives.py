"""Which other models could do what one cannot: the second half of a refusal, so that its reader knows where to go.

Only models that the key may use at this door and that have a price are named, and only such as can do all that the
request asks for: a model that searches but takes no pictures is no help to somebody who sent one.
"""

from collections.abc import Iterable, Iterator, Set
from itertools import islice

from allgate.core.errors import Refused
from allgate.core.value import changed
from allgate.dialects.contract import Head
from allgate.operations.chat.features import missing_feature
from allgate.routing.catalogue import Model

UNSUPPORTED_FEATURE = "unsupported_feature"
"""The code of a refusal because of what no deployment of a model can do."""

NAMED_MAX = 5
"""More names than these are a list, and for lists there is /v1/models."""


def with_alternatives(
    refusal: Refused, models: Iterable[Model], head: Head, dialect: str, usable: Set[str] | None
) -> Refused:
    """`refusal` with the names of models that can, if it is about a feature. `usable`: what the key may use, None: all."""
    failure = refusal.failure
    if failure.code != UNSUPPORTED_FEATURE:
        return refusal
    names = ", ".join(islice(_able(models, head.features, dialect, usable), NAMED_MAX))
    tail = f"Models that can: {names}." if names else "No model that this key may use can do it."
    return Refused(changed(failure, message=f"{failure.message} {tail}"))


def _able(
    models: Iterable[Model], features: frozenset[str], dialect: str, usable: Set[str] | None
) -> Iterator[str]:
    for model in models:
        open_here = not model.profile.endpoints or dialect in model.profile.endpoints
        if model.price_id is None or not open_here or (usable is not None and model.name not in usable):
            continue
        offers = (caps for deployment in model.deployments for caps in deployment.caps.values())
        if any(missing_feature(features, caps) is None for caps in offers):
            yield model.name
