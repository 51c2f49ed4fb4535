import json
import logging
from collections.abc import Iterator

import pytest

from allgate.core.secret import Secret
from allgate.telemetry.log import BLANK, set_up, without_secrets


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_object_with_its_time_and_source(capsys: pytest.CaptureFixture[str]):
    set_up("info", "json")
    logging.getLogger("allgate.x").info("done", extra={"cut": 2})
    (line,) = lines(capsys)
    assert {name: line[name] for name in ("event", "level", "logger", "cut")} == {
        "event": "done",
        "level": "info",
        "logger": "allgate.x",
        "cut": 2,
    }
    assert line["timestamp"].endswith("Z")


def test_lines_of_other_libraries_come_out_the_same_way(capsys: pytest.CaptureFixture[str]):
    set_up("info", "json")
    logging.getLogger("asyncio").warning("port %s", 80)
    (line,) = lines(capsys)
    assert (line["event"], line["level"], line["logger"]) == ("port 80", "warning", "asyncio")


def test_below_the_level_nothing_is_written(capsys: pytest.CaptureFixture[str]):
    set_up("warning", "json")
    logging.getLogger("allgate.x").info("quiet")
    logging.getLogger("other").info("quiet")
    assert lines(capsys) == []


def test_an_exception_is_one_line(capsys: pytest.CaptureFixture[str]):
    set_up("info", "json")
    try:
        raise ValueError("odd")
    except ValueError:
        logging.getLogger("allgate.x").exception("failed")
    (line,) = lines(capsys)
    assert "ValueError: odd" in line["exception"]


def test_text_is_for_reading(capsys: pytest.CaptureFixture[str]):
    set_up("info", "text")
    logging.getLogger("allgate.x").info("done")
    assert "info allgate.x done" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_secret_comes_out(capsys: pytest.CaptureFixture[str], form):
    set_up("debug", form)
    log = logging.getLogger("allgate.x")
    extra = {"api_key": "hunter2hunter2", "held": Secret("hunter2hunter2")}
    log.info("sent Bearer abcdefgh12345678", extra=extra)
    logging.getLogger("other").error("key sk-allgate-hunter2hunter2 was refused")
    said = capsys.readouterr().err
    assert "hunter2" not in said
    assert "abcdefgh" not in said
    assert BLANK in said


@pytest.mark.parametrize(
    "key", ["authorization", "Authorization", "x-api-key", "api_key", "token", "access_token", "cookie"]
)
def test_what_is_named_like_a_credential_is_blanked(key: str):
    assert without_secrets({key: "x"}) == {key: BLANK}


def test_counts_of_tokens_are_no_credentials():
    event = {"input_tokens": "5", "tokens": "7", "event": "task-list skipped"}
    assert without_secrets(dict(event)) == event
