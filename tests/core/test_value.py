import pytest

from allgate.core.usage import Usage
from allgate.core.value import Value, changed


def test_a_value_cannot_be_changed_in_place() -> None:
    usage = Usage(input_tokens=1)
    with pytest.raises(AttributeError):
        usage.input_tokens = 2  # type: ignore[misc]


def test_a_changed_copy_leaves_the_original() -> None:
    usage = Usage(input_tokens=1)
    assert changed(usage, output_tokens=3) == Usage(input_tokens=1, output_tokens=3)
    assert usage == Usage(input_tokens=1)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError):
        changed(Usage(), inputs=1)


def test_a_field_may_be_named_value() -> None:
    class Named(Value, frozen=True, kw_only=True):
        value: int

    assert changed(Named(value=1), value=2) == Named(value=2)
