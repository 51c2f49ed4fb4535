"""A Gemini request, read as strictly as Google reads it: first the proto parser, then the API's own checks.

Both API versions (`/v1`, `/v1beta`) take the same fields. Raises `Rejected` only.
"""

import re

from allgate.simulator import models, tokens
from allgate.simulator.answer import Ask, Tool
from allgate.simulator.exchange import Rejected, Request
from allgate.simulator.gemini.contents import Talk, read_contents
from allgate.simulator.gemini.models import Gemini, traits
from allgate.simulator.gemini.proto import parse
from allgate.simulator.gemini.schema import check_json_schema, check_proto_schema
from allgate.simulator.reading import items, part
from allgate.wire import json
from allgate.wire.json import JsonObject

STOPS_MAX = 5
"""Stop sequences Google takes."""

CANDIDATES_MAX = 8
"""Candidates Google gives."""

_PATH = re.compile(r"/(?:v1|v1beta|v1beta1)/(?:publishers/google/)?models/(?P<model>[^/]+):(?P<verb>\w+)")
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")
_CONFIG = "* GenerateContentRequest.generation_config"
_MIMES = ("text/plain", "application/json", "text/x.enum", "application/xml", "application/yaml")


def path_of(path: str) -> tuple[str, str] | None:
    """(model, verb) of a path that Gemini serves, else None."""
    match = _PATH.fullmatch(path)
    return (match["model"], match["verb"]) if match else None


def read(request: Request, body: JsonObject, secret: bytes) -> Ask:
    """A `:generateContent` or `:streamGenerateContent` request as an Ask. Raises: Rejected."""
    model, verb = path_of(request.path) or ("", "")
    gone = Rejected(
        f"models/{model} is not found for API version {request.path.split('/')[1]}, or is not supported for {verb}. Call "
        "ModelService.ListModels to see the list of available models and their supported methods.",
        status=404,
    )
    models.known(model, "gemini", gone)
    if verb == "countTokens":
        return _counted(model, body, secret)
    return _ask(model, parse("GenerateContentRequest", body), secret, stream=verb == "streamGenerateContent")


def _counted(model: str, body: JsonObject, secret: bytes) -> Ask:
    parsed = parse("CountTokensRequest", body)
    inner = part(parsed, "generateContentRequest")
    if inner and inner.get("model") not in (f"models/{model}", model):
        raise Rejected(
            "* CountTokensRequest.generate_content_request.model: must match the model of the request\n"
        )
    return _ask(model, inner or {"contents": items(parsed, "contents")}, secret, stream=False)


def _ask(model: str, body: JsonObject, secret: bytes, *, stream: bool) -> Ask:
    gemini = traits(model)
    tools = _tools(body)
    _check_combination(body, gemini)
    forced, may_call = _choice(body, tools)
    config = part(body, "generationConfig")
    _check_config(config, gemini)
    thinking = _check_thinking(part(config, "thinkingConfig"), gemini)
    talk: Talk = read_contents(items(body, "contents"), gemini, secret)
    system = " ".join(item.get("text", "") for item in items(part(body, "systemInstruction"), "parts"))
    tool_tokens = sum(tokens.count(json.encode_text(tool)) for tool in items(body, "tools"))
    schema = part(config, "responseSchema") or part(config, "responseJsonSchema") or None
    return Ask(
        model=model,
        prompt=talk.prompt,
        input_tokens=talk.input_tokens + tokens.count(system) + tool_tokens,
        stream=stream,
        tools=tools,
        forced=forced,
        may_call=may_call,
        results=talk.results,
        seals=talk.seals,
        schema=schema,
        json_object=config.get("responseMimeType") == "application/json" and schema is None,
        max_tokens=config.get("maxOutputTokens"),
        stop=tuple(items(config, "stopSequences")),
        choices=config.get("candidateCount") or 1,
        think=thinking,
        show_thinking=thinking and part(config, "thinkingConfig").get("includeThoughts") is True,
        search=any(
            "googleSearch" in tool or "googleSearchRetrieval" in tool for tool in items(body, "tools")
        ),
        code=any("codeExecution" in tool for tool in items(body, "tools")),
        body=body,
    )


def _tools(body: JsonObject) -> tuple[Tool, ...]:
    found: list[Tool] = []
    for place, tool in enumerate(items(body, "tools")):
        if not tool:
            raise Rejected(f"* GenerateContentRequest.tools[{place}].tool_type: required one_of 'tool_type' must have one initialized field\n")  # fmt: skip
        for number, declaration in enumerate(items(tool, "functionDeclarations")):
            where = f"GenerateContentRequest.tools[{place}].function_declarations[{number}]"
            found.append(_declaration(declaration, where))
    names = [tool.name for tool in found]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise Rejected(f"Duplicate function declaration found: {repeated}")
    return tuple(found)


def _declaration(declaration: JsonObject, where: str) -> Tool:
    name = str(declaration.get("name") or "")
    if not _NAME.fullmatch(name):
        raise Rejected(
            f"* {where}.name: [FIELD_INVALID] Invalid function name. Must start with a letter or an underscore. Must be "
            "alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of "
            "128.\n"
        )
    if "parameters" in declaration and "parametersJsonSchema" in declaration:
        raise Rejected(f"* {where}: only one of parameters and parameters_json_schema may be set\n")
    schema = part(declaration, "parameters")
    if schema:
        if schema.get("type") != "OBJECT":
            raise Rejected(f"* {where}.parameters: type should be OBJECT\n")
        check_proto_schema(schema, f"{where}.parameters")
    check_json_schema(declaration.get("parametersJsonSchema"), f"{where}.parameters_json_schema")
    return Tool(name=name, schema=schema or part(declaration, "parametersJsonSchema") or None)


def _check_combination(body: JsonObject, gemini: Gemini) -> None:
    """Functions beside Google's own tools; code execution has always gone with them (recorded)."""
    tools = items(body, "tools")
    functions = any("functionDeclarations" in tool for tool in tools)
    own = sorted({name for tool in tools for name in tool} - {"functionDeclarations", "codeExecution"})
    if functions and own and not gemini.combines:
        raise Rejected(
            f"Built-in tools ({{{own[0]}}}) and Function Calling cannot be combined in the same request. Please choose one "
            "of them to continue."
        )
    if functions and own and part(body, "toolConfig").get("includeServerSideToolInvocations") is not True:
        raise Rejected(
            "Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with Function calling."
        )
    mime = part(body, "generationConfig").get("responseMimeType")
    if functions and mime == "application/json" and not gemini.combines:
        raise Rejected("Function calling with a response mime type: 'application/json' is unsupported")


def _choice(body: JsonObject, tools: tuple[Tool, ...]) -> tuple[str | None, bool]:
    calling = part(part(body, "toolConfig"), "functionCallingConfig")
    mode, allowed = calling.get("mode") or "AUTO", items(calling, "allowedFunctionNames")
    if allowed and mode not in ("ANY", "VALIDATED"):
        raise Rejected("Allowed function names should be set only when function calling mode is ANY.")
    for name in allowed:
        if name not in {tool.name for tool in tools}:
            raise Rejected(f"Function name '{name}' in allowed_function_names is not declared.")
    if mode == "ANY" and not items(body, "tools"):
        raise Rejected("Function calling config is set without function_declarations.")
    if mode != "ANY":
        return None, mode != "NONE"
    return str(allowed[0]) if len(allowed) == 1 else "*", True


def _check_config(config: JsonObject, gemini: Gemini) -> None:
    for name, low, high in (("temperature", 0, 2), ("topP", 0, 1), ("topK", 1, 1000)):
        if name in config and not low <= config[name] <= high:
            field = {"topP": "top_p", "topK": "top_k"}.get(name, name)
            raise Rejected(f"{_CONFIG}.{field}: {field} must be in the range [{low}, {high}].\n")
    if "maxOutputTokens" in config and config["maxOutputTokens"] < 1:
        raise Rejected(f"{_CONFIG}.max_output_tokens: max_output_tokens must be positive.\n")
    if not 1 <= (config.get("candidateCount") or 1) <= CANDIDATES_MAX:
        raise Rejected(
            f"{_CONFIG}.candidate_count: candidate_count must be in the range [1, {CANDIDATES_MAX}].\n"
        )
    if len(items(config, "stopSequences")) > STOPS_MAX:
        raise Rejected(f"{_CONFIG}.stop_sequences: at most {STOPS_MAX} stop sequences are supported.\n")
    if any(name in config for name in ("presencePenalty", "frequencyPenalty")) and not gemini.penalties:
        raise Rejected("Penalty is not enabled for this model")
    mime = config.get("responseMimeType") or "text/plain"
    if mime not in _MIMES:
        raise Rejected(f"{_CONFIG}.response_mime_type: allowed mimetypes are {', '.join(f'`{name}`' for name in _MIMES)}.\n")  # fmt: skip
    given = [name for name in ("responseSchema", "responseJsonSchema") if name in config]
    if len(given) > 1:
        raise Rejected(f"{_CONFIG}: only one of response_schema and response_json_schema may be set\n")
    if given and mime not in ("application/json", "text/x.enum"):
        raise Rejected(
            f"{_CONFIG}.response_mime_type: must be application/json when a response schema is set\n"
        )
    check_proto_schema(
        part(config, "responseSchema"), "GenerateContentRequest.generation_config.response_schema"
    )
    check_json_schema(
        config.get("responseJsonSchema"), "GenerateContentRequest.generation_config.response_json_schema"
    )


def _check_thinking(thinking: JsonObject, gemini: Gemini) -> bool:
    """Does it think? Raises: Rejected: level and budget together, or one that this model does not take."""
    budget, level = thinking.get("thinkingBudget"), thinking.get("thinkingLevel")
    if thinking and not gemini.thinks:
        raise Rejected("Thinking is not supported for this model.")
    if budget is not None and level is not None:
        raise Rejected("You can only set only one of thinking budget and thinking level.")
    if level is not None and level not in gemini.levels:
        if not gemini.levels:
            raise Rejected("Thinking level is not supported for this model.")
        raise Rejected(
            f"Thinking level {level} is not supported for this model. Please retry with other thinking level."
        )
    if budget is None or gemini.budget is None:
        return gemini.thinks
    low, high = gemini.budget
    if budget != -1 and not (budget == 0 and gemini.can_stop) and not low <= budget <= high:
        raise Rejected(
            f"The thinking budget {budget} is invalid. Please choose a value between {low} and {high}."
        )
    return budget != 0
