"""Mirrors src/saxinfer/report/sasview/__init__.py."""

import pytest

from saxinfer.report.sasview import PLUGINS, plugin
from saxinfer.structures import MODELS


@pytest.mark.parametrize("model", PLUGINS)
def test_a_plugin_says_where_it_comes_from_and_imports_nothing_of_ours(
    model: str,
) -> None:
    text = plugin(model)
    assert text.startswith("# SasView plug-in")
    assert "MIT" in text.splitlines()[0]
    assert "import saxinfer" not in text
    assert "from saxinfer" not in text
    compile(text, model, "exec")


@pytest.mark.parametrize("model", PLUGINS)
def test_its_parameters_are_those_of_the_model(model: str) -> None:
    space = MODELS[model].space
    scope: dict[str, object] = {}
    exec(plugin(model), scope)
    table = scope["parameters"]
    assert isinstance(table, list)
    assert tuple(row[0] for row in table) == space.names


def test_a_model_without_a_plugin_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(ValueError, match=r"plug-in of 'sphere'.*wood"):
        plugin("sphere")
