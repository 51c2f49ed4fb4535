"""Kept responses as OpenAI's own SDK reads and deletes them."""

import openai
import pytest

from gateway.test_responses_store import OTHERS, OTHERS_KEY, asking
from stand import stand


async def test_an_input_is_listed_with_all_that_came_before_it_newest_first() -> None:
    async with stand({"m": ["sim-echo"]}, dialects=["anthropic"]) as s, asking(s) as client:
        first = await client.responses.create(model="m", input="one")
        asked = [{"role": "user", "content": [{"type": "input_text", "text": "two"}]}]
        second = await client.responses.create(model="m", input=asked, previous_response_id=first.id)
        items = (await client.responses.input_items.list(second.id)).data
        assert [(item.role, item.content[0].text) for item in items] == [
            ("user", "two"),
            ("assistant", first.output_text),
            ("user", "one"),
        ]
        assert len({item.id for item in items}) == 3


async def test_a_list_comes_in_pages() -> None:
    async with stand({"m": ["sim-echo"]}, dialects=["anthropic"]) as s, asking(s) as client:
        asked = [{"role": "user", "content": str(number)} for number in range(7)]
        response = await client.responses.create(model="m", input=asked)
        page = await client.responses.input_items.list(response.id, limit=3, order="asc")
        assert [item.content[0].text for item in page.data] == ["0", "1", "2"]
        assert [item.content[0].text async for item in page] == [str(number) for number in range(7)]
        for wrong in ({"limit": 0}, {"limit": 101}, {"order": "up"}, {"after": "msg_x"}):
            with pytest.raises(openai.BadRequestError, match=next(iter(wrong)) + "|no item"):
                await client.responses.input_items.list(response.id, **wrong)


async def test_a_deleted_response_cannot_be_continued_nor_can_what_continues_it() -> None:
    async with stand({"m": ["sim-echo"]}) as s, asking(s) as client:
        first = await client.responses.create(model="m", input="one")
        second = await client.responses.create(model="m", input="two", previous_response_id=first.id)
        assert await client.responses.delete(first.id) is None
        with pytest.raises(openai.NotFoundError, match=f"Response with id '{first.id}' not found"):
            await client.responses.retrieve(first.id)
        with pytest.raises(openai.BadRequestError, match=f"'{first.id}' was deleted, or is too old"):
            await client.responses.create(model="m", input="three", previous_response_id=second.id)
        assert (await client.responses.retrieve(second.id)).id == second.id


async def test_another_accounts_response_is_not_found() -> None:
    async with (
        stand({"m": ["sim-echo"]}, price='{ input = "3", output = "15" }\n' + OTHERS) as s,
        asking(s) as mine,
        asking(s, OTHERS_KEY) as theirs,
    ):
        response = await mine.responses.create(model="m", input="one")
        for reading in (
            theirs.responses.retrieve(response.id),
            theirs.responses.delete(response.id),
            theirs.responses.cancel(response.id),
            theirs.responses.input_items.list(response.id),
        ):
            with pytest.raises(openai.NotFoundError) as refused:
                await reading
            assert refused.value.body == {
                "message": f"Response with id '{response.id}' not found.",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        assert (await mine.responses.retrieve(response.id)).id == response.id


async def test_what_only_background_responses_can_do_is_refused() -> None:
    async with stand({"m": ["sim-echo"]}) as s, asking(s) as client:
        response = await client.responses.create(model="m", input="one")
        with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
            await client.responses.cancel(response.id)
        with pytest.raises(openai.BadRequestError, match="in the background"):
            await client.responses.retrieve(response.id, stream=True)


async def test_a_wrong_method_or_path_is_told() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        assert (await s.post("/v1/responses/resp_x", {})).status == 405
        assert (await s.get("/v1/responses/resp_x/nothing")).status == 404
        assert (await s.get("/v1/responses/resp_x", {"authorization": "Bearer no"})).status == 401
