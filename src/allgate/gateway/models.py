"""The list of models a key may use, in the shape of the client that asks."""

from allgate.dialects.model_lists import Listed, encode_model, encode_models
from allgate.gateway.admission import Call, authenticate
from allgate.gateway.reply import json_reply
from allgate.gateway.services import Services
from allgate.identity.caller import Caller, unknown_model
from allgate.routing.catalogue import Model
from allgate.wire.message import WireReply


def model_reply(services: Services, call: Call, rest: str) -> WireReply:
    """`rest` is "/models" or "/models/<name>". Raises: Refused: 401; 404 for a model the key may not use."""
    caller = authenticate(services.directory, call)
    catalogue = services.directory.catalogue
    if rest == "/models":
        listed = [_listed(model) for model in catalogue.models.values() if _may_use(caller, model.name)]
        codex = b"client_version=" in call.wire.query
        return json_reply(call.request_id, encode_models(listed, call.dialect.name, codex=codex))
    name = rest.removeprefix("/models/")
    model = catalogue.names.get(name)
    if model is None or not _may_use(caller, name):
        raise unknown_model(name)
    return json_reply(call.request_id, encode_model(_listed(model), call.dialect.name))


def _may_use(caller: Caller, name: str) -> bool:
    return caller.models is None or name in caller.models


def _listed(model: Model) -> Listed:
    return Listed(name=model.name, created_s=model.created_s, owned_by=model.owned_by)
