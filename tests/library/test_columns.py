"""Every column has a name of its own, a unit and a meaning."""

from dataclasses import replace

import pytest

from saxinfer.library import Recipe
from saxinfer.library.columns import columns_of, values_of
from saxinfer.library.draws import drawn_parameters
from saxinfer.structures import MODELS

Q = tuple(0.1 * n for n in range(1, 20))


@pytest.mark.parametrize("name", MODELS)
def test_columns_are_labelled(name: str) -> None:
    recipe = Recipe(name, 5, q=Q, noise="hard")
    columns = columns_of(recipe)
    names = [column.name for column in columns]
    assert len(set(names)) == len(names)
    assert not {"q", "curve", "intensity", "sigma", "journal"} & set(names)
    assert all(column.parameter.unit and column.parameter.meaning for column in columns)


@pytest.mark.parametrize("name", MODELS)
def test_values_stand_in_the_order_of_the_columns(name: str) -> None:
    recipe = Recipe(name, 5, q=Q)
    model, theta = recipe.structure, drawn_parameters(recipe.space, 0, range(5))
    values = values_of(recipe, theta)
    roles = [column.role for column in columns_of(recipe)]
    assert values.shape == (5, len(roles))
    start = roles.count("parameter")
    assert (values[:, :start] == theta).all()
    stop = start + roles.count("dependent")
    assert (values[:, start:stop] == model.dependent_values(theta)).all()
    assert (values[:, stop:] == model.derived_values(theta)).all()


def test_nuisances_are_columns_where_there_is_noise() -> None:
    quiet = Recipe("sphere", 5, q=Q)
    loud = replace(quiet, noise="standard")
    more = columns_of(loud)[len(columns_of(quiet)) :]
    assert {column.role for column in more} == {"nuisance"}
    assert {"signal_share", "noise"} <= {column.name for column in more}
