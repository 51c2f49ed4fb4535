import json

from stand import Stand, Vendor, connection, stand

PATH = "/api/v1/catalogue"
NO_KEY = {"authorization": ""}


async def page(s: Stand) -> dict:
    reply = await s.get(PATH, NO_KEY)
    assert reply.status == 200
    return {model["name"]: model for model in reply.json["models"]}


async def test_the_catalogue_is_public_and_may_stand_in_any_page() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        reply = await s.get(PATH, NO_KEY)
        assert (reply.status, reply.headers["access-control-allow-origin"]) == (200, "*")
        assert reply.json["object"] == "catalogue"


async def test_it_says_what_a_model_is_and_costs() -> None:
    price = '{ input = "3", output = "15.50", web_search = "0.01", variants = [{ above_input_tokens = 200000, input = "6" }] }'
    vendors = [Vendor("anthropic")]
    async with stand({"Claude": ["claude-sonnet-4-6"]}, vendors=vendors, price=price) as s:
        model = (await page(s))["Claude"]
        assert (model["kind"], model["available"]) == ("chat", True)
        assert {"tools", "image_input", "document_input", "json_schema"} <= set(model["abilities"])
        assert "audio_input" not in model["abilities"]
        assert "image/png" in model["accepts"]
        assert {door["path"] for door in model["endpoints"]} >= {"/v1/messages", "/v1/responses"}
        assert model["prices"]["units"] == {
            "input": {"usd": "3", "per": 1_000_000},
            "output": {"usd": "15.5", "per": 1_000_000},
            "web_search": {"usd": "0.01", "per": 1},
        }
        assert model["prices"]["variants"] == [
            {
                "tier": None,
                "above_input_tokens": 200_000,
                "units": {"input": {"usd": "6", "per": 1_000_000}},
            }
        ]


async def test_a_model_without_a_price_is_shown_as_not_available() -> None:
    async with stand({"m": ["sim-echo"]}, price="") as s:
        model = (await page(s))["m"]
        assert (model["available"], model["prices"]) == (False, None)


async def test_nothing_tells_where_a_model_runs() -> None:
    vendors = [Vendor("openai", ["openai_chat"], "/v1")]
    async with stand({"m": ["gpt-4o-mini"]}, vendors=vendors) as s:
        told = json.dumps(await page(s))
        for secret in ("gpt-4o-mini", "sim0", "sk-up", "127.0.0.1", "openai/"):
            assert secret not in told


async def test_who_has_the_page_is_told_that_it_is_still_true() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        first = await s.get(PATH, NO_KEY)
        async with connection(s.gateway.url) as line:
            await line.send(PATH, None, {**NO_KEY, "if-none-match": first.headers["etag"]}, method="GET")
            status, headers = await line.read_head()
            assert (status, headers["etag"]) == (304, first.headers["etag"])
            assert "content-length" not in headers  # 0 would be taken for the length of the page
            await line.send(PATH, None, {**NO_KEY, "if-none-match": '"other"'}, method="GET")
            other = await line.read()
            assert (other.status, other.body) == (200, first.body)
