"""`GET /api/v1/catalogue`: what is on offer, for the model plaza and for anybody's own page. Public, without a key.

Every model with its family, names, abilities, doors, limits and prices, as data. Abilities, media and ways of thinking are
those of the places where the model runs, so what stands here is what this gateway can really be asked for. Nothing says
where that is: no upstream, no credential, no upstream's name of the model. Prices are exact decimal text in USD, without
any group's ratio.

The page is written once for each state of the catalogue, and its ETag is its content: who asks again gets a 304.
"""

from collections.abc import Iterable
from hashlib import sha256

import msgspec

from allgate.billing.sheets import (
    CHARACTERS_PER_PRICE,
    TOKENS_PER_PRICE,
    UNITS,
    ImagePrice,
    PriceSheet,
    PriceVariant,
    decimal_text,
)
from allgate.catalogue.narrow import PATHS
from allgate.catalogue.profile import Profile
from allgate.gateway.admission import Call
from allgate.gateway.services import Services
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.features import missing_feature
from allgate.routing.catalogue import Catalogue, Model
from allgate.wire.headers import first
from allgate.wire.json import JsonObject
from allgate.wire.message import WireReply

MAX_AGE_S = 60
"""How long a page may be kept without asking again: a new price is in force at once, and seen a minute later."""

_FEATURES = (
    "tools", "image_input", "document_input", "audio_input", "video_input", "image_output", "audio_output",
    "video_output", "web_search", "web_fetch", "code_execution", "file_search",
)  # fmt: skip
_MIMES = ("image_mimes", "document_mimes", "audio_mimes", "video_mimes")
_PER_TOKENS = frozenset(
    {
        "input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "input_audio", "input_image",
        "input_video", "output_audio", "output_image",
    }
)  # fmt: skip


class Plaza:
    """Writes the page when it is first asked for, and anew when the catalogue was swapped."""

    __slots__ = ("_catalogue", "_etag", "_page")

    def __init__(self) -> None:
        self._catalogue: Catalogue | None = None
        self._page = b""
        self._etag = b""

    def reply(self, services: Services, call: Call) -> WireReply:
        """The page, or 304 for who has it."""
        catalogue = services.directory.catalogue
        if catalogue is not self._catalogue:
            self._page = msgspec.json.encode(_catalogue(services, catalogue))
            self._etag = b'"' + sha256(self._page).hexdigest()[:32].encode() + b'"'
            self._catalogue = catalogue
        headers = (
            (b"content-type", b"application/json"),
            (b"etag", self._etag),
            (b"cache-control", b"public, max-age=%d" % MAX_AGE_S),
            (b"access-control-allow-origin", b"*"),  # it is public: any page may show it
        )
        known = first(call.wire.headers, b"if-none-match") or b""
        if self._etag in known or known.strip() == b"*":
            return WireReply(status=304, headers=headers[1:])
        return WireReply(status=200, headers=headers, body=self._page)


def _catalogue(services: Services, catalogue: Catalogue) -> JsonObject:
    return {
        "object": "catalogue",
        "revision": catalogue.revision,
        "currency": "USD",
        "models": [_model(services, model) for model in catalogue.models.values()],
    }


def _model(services: Services, model: Model) -> JsonObject:
    profile = model.profile
    pricing = services.directory.price(model.price_id) if model.price_id is not None else None
    caps = [one for deployment in model.deployments for one in deployment.caps.values()]
    return {
        "name": model.name,
        "aliases": list(model.aliases),
        "suffixes": list(profile.suffixes),
        "family": profile.family or None,
        "kind": profile.kind,
        "summary": profile.summary or None,
        "owned_by": model.owned_by or None,
        "available": bool(model.deployments) and pricing is not None,
        "abilities": _abilities(profile, caps),
        "accepts": sorted({mime for one in caps for name in _MIMES for mime in getattr(one, name)}),
        "thinking": _thinking(profile, caps),
        "endpoints": _endpoints(profile),
        "limits": {
            **msgspec.to_builtins(profile.limits),
            "output_tokens_default": model.output_tokens_default,
        },
        "prices": None if pricing is None else prices_shown(pricing.sheet),
    }


def _abilities(profile: Profile, caps: list[Caps]) -> list[str]:
    """What any place where the model runs can do; of a model that runs nowhere, what its family could."""
    if not caps:
        return list(profile.abilities or ())
    able = [
        name for name in _FEATURES if any(missing_feature(frozenset({name}), one) is None for one in caps)
    ]
    able += ["json_object"] if any(one.json_object for one in caps) else []
    able += ["json_schema"] if any(one.json_schema != "none" for one in caps) else []
    able += ["prompt_cache"] if any(one.cache != "none" for one in caps) else []
    return able


def _thinking(profile: Profile, caps: list[Caps]) -> JsonObject | None:
    """How it can be told to think; None: not at all."""
    ways = {one.thinking for one in caps} - {"none"}
    mode = profile.thinking or (ways.pop() if len(ways) == 1 else None)
    if not caps or mode == "none" or (mode is None and not ways):
        return None
    return {"mode": mode, "efforts": list(profile.efforts), "levels": list(profile.levels)}


def _endpoints(profile: Profile) -> list[JsonObject]:
    """The doors of a chat model: every one unless the operator narrowed them."""
    names: Iterable[str] = profile.endpoints or (PATHS if profile.kind == "chat" else ())
    return [{"dialect": name, "path": PATHS[name]} for name in names]


def prices_shown(sheet: PriceSheet) -> JsonObject:
    """A sheet as data: every unit with its price, and the cases in which others apply."""
    return {
        "units": _units(sheet),
        "variants": [
            {"tier": one.tier, "above_input_tokens": one.above_input_tokens, "units": _units(one)}
            for one in sheet.variants
        ],
        "images": [_image(one) for one in sheet.images],
        "source": sheet.source or None,
        "valid_from": sheet.valid_from or None,
    }


def _units(prices: PriceSheet | PriceVariant) -> JsonObject:
    """Each unit with a price: USD for so many of it."""
    found = ((unit, getattr(prices, unit)) for unit in UNITS)
    return {
        unit: {"usd": decimal_text(price), "per": _per(unit)} for unit, price in found if price is not None
    }


def _per(unit: str) -> int:
    if unit in _PER_TOKENS:
        return TOKENS_PER_PRICE
    return CHARACTERS_PER_PRICE if unit == "character" else 1


def _image(price: ImagePrice) -> JsonObject:
    return {"size": price.size, "quality": price.quality, "usd": decimal_text(price.price)}
