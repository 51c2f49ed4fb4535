"""Scenes: one table, four places to say them."""

import re

import pytest

import allgate.simulator
from allgate.simulator.scenes import SCENES, Scene, SceneError, of_key, of_model, peek, scene_of, spoken


def test_every_scene_of_the_table_is_a_valid_scene_and_is_in_the_package_docstring():
    rows = re.findall(r"^\| ([a-z0-9_, ]+) \|", allgate.simulator.__doc__ or "", re.MULTILINE)
    documented = {name.strip() for row in rows for name in row.split(",")} - {"scene"}
    for name in SCENES:
        assert scene_of(name).name == name
    assert documented == set(SCENES)


def test_no_line_is_an_honest_vendor():
    assert scene_of(None, "", None) == Scene()


def test_a_later_line_wins_knob_by_knob():
    scene = scene_of("cut how=reset", "cut=7")
    assert (scene.name, scene.cut, scene.how) == ("cut", 7, "reset")


def test_values_are_read_as_the_type_of_their_knob():
    scene = scene_of('think calls=2 inside=true retry_after=1.5 text="two words"')
    assert (scene.calls, scene.inside, scene.retry_after, scene.text) == (2, True, 1.5, "two words")


@pytest.mark.parametrize(
    "line", ["nosuch", "cut=soon", "nosuch=1", "how=softly", 'text="open', "text=" + "x" * 600]
)
def test_a_scene_that_does_not_exist_is_an_error_and_not_an_echo(line: str):
    with pytest.raises(SceneError):
        scene_of(line)


def test_the_scene_line_is_taken_out_of_the_prompt():
    assert spoken("before\n!scene cut=3 how=reset\nafter") == ("cut=3 how=reset", "before\nafter")
    assert spoken("no scene here") == (None, "no scene here")


def test_model_names_and_keys_say_scenes_with_commas():
    assert of_model("sim-cut,cut=3") == "cut cut=3"
    assert of_model("gpt-4o") is None
    assert of_key("sk-scene-error,status=429") == "error status=429"
    assert of_key("sk-test") is None


def test_an_unfinished_body_already_tells_its_scene():
    assert peek(b'{"model": "sim-early,status=400", "messages": [{"content": "!scene early\\nHel') == (
        "early status=400",
        "early",
    )
    assert peek(b'{"model": "gpt-4o", "mess') == (None, None)
