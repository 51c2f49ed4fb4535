"""What every tour says, whichever vendor's SDK says it. The tours stand beside this file and run in any environment."""

import base64
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

HELLO = "Say hello to the tour."
LOOK = "What do you see?"
RAIN = "Does it rain in Paris?"
FORM = "Name one book."
WEATHER = "rain, 12 degrees"
LIMITED = "!scene rate_limit\nhello"
OVERLOADED = "!scene error status=503\nhello"
BROKEN = "!scene cut=14\none two three four five six seven eight nine ten eleven twelve thirteen fourteen"

NAME, ABOUT = "weather", "The weather in a city."
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
BOOK = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "year": {"type": "integer"}},
    "required": ["title", "year"],
    "additionalProperties": False,
}

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"  # one red pixel
PDF = base64.b64encode(b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n").decode()


def failure(error: type[Exception], status: str, run: Callable[[], Any]) -> list[object]:
    """The class of the error that the SDK raises, and what it says in its member `status`."""
    try:
        run()
    except error as raised:
        return [type(raised).__name__, getattr(raised, status, None)]
    return []


def broken(error: type[Exception], pieces: Callable[[], Iterable[str]]) -> list[object]:
    """Whether words came before the stream broke, and the class of the error that the SDK raised then."""
    heard = ""
    try:
        for piece in pieces():
            heard += piece
    except error as raised:
        return [heard.startswith("You said: one"), type(raised).__name__]
    return []


def main(tour: Callable[[str, str, str], dict[str, object]]) -> None:
    """`python tour.py BASE_URL KEY MODEL…`: the facts of each model as one JSON object."""
    base_url, key, *models = sys.argv[1:]
    print(json.dumps({model: tour(base_url, key, model) for model in models}))
