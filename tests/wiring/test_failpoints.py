import pytest

from allgate.admin.rows import ConfigError
from allgate.wiring.failpoints import FAILPOINTS, arm


def functions() -> dict[str, object]:
    return {name: getattr(point.owner, point.function) for name, point in FAILPOINTS.items()}


def test_without_the_variable_nothing_is_wrapped():
    before = functions()
    arm({})
    assert functions() == before


@pytest.mark.parametrize("wish", ["nowhere@1", "enqueued", "enqueued@soon", ""])
def test_a_place_that_is_none_is_an_error_and_not_a_quiet_day(wish: str):
    before = functions()
    with pytest.raises(ConfigError, match="NAME@COUNT"):
        arm({"ALLGATE_FAILPOINT": wish})
    assert functions() == before
