"""A recipe that exists is right, and says in which way another one differs."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from saxinfer.library.recipe import Box, Recipe
from saxinfer.structures import MODELS, Structure

Q = tuple(np.linspace(0.1, 2.0, 20).tolist())
BOX = Box(64, 0.4, 3, rings=10)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"model": "spere"}, "Unknown model 'spere'"),
        ({"count": 0}, "at least 1 curve, got 0"),
        ({"seed": -1}, "seed must be from 0"),
        ({"windows": (("radius", 1, 2),)}, "no free parameter 'radius'"),
        ({"windows": (("radius_mean", 1, 200),)}, "1 to 200 nm is not a range within"),
        ({"windows": (("radius_mean", 5, 4),)}, "5 to 4 nm is not a range within"),
        ({"q": ()}, "at least 10 points of q, got 0"),
        ({"q": (*Q[:10], 0.1)}, "q must rise"),
        ({"q": (*Q[:10], float("nan"))}, "q must rise"),
        ({"q": (0.001, *Q)}, "goes from 0.001 to 2 1/nm"),
        ({"q": (*Q, 13.0)}, "goes from 0.1 to 13 1/nm"),
        ({"box": BOX}, "a box goes with the structure engine"),
        ({"engine": "structure"}, "a box goes with the structure engine"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], sentence: str) -> None:
    given: dict[str, Any] = {"model": "sphere", "count": 5, "q": Q, **wrong}
    with pytest.raises(ValueError, match=sentence):
        Recipe(**given)


def test_no_box_without_rings_or_realisations() -> None:
    with pytest.raises(ValueError, match="at least 10 rings, got 9"):
        Box(64, 0.4, 3, rings=9)
    with pytest.raises(ValueError, match="at least 1 realisation, got 0"):
        Box(64, 0.4, 3, rings=10, average=0)
    with pytest.raises(ValueError, match="pixels must be an even number"):
        Box(63, 0.4, 3, rings=10)


@pytest.mark.parametrize(
    "name",
    [n for n, m in MODELS.items() if type(m).realise is not Structure.realise],
)
def test_every_model_that_can_be_drawn_has_a_usual_box(name: str) -> None:
    box = Box.usual(name, None, None)
    assert Recipe(name, 1, engine="structure", box=box).q == ()
    assert Box.usual(name, 96, 0.5).grid.edge == 48.0


def test_json_holds_all_of_it() -> None:
    first = Recipe("sphere", 5, 7, "closed-form", (("radius_std", 1, 2),), Q, "hard")
    second = Recipe("sphere", 5, engine="structure", box=replace(BOX, average=3))
    for recipe in (first, second):
        assert Recipe.from_json(recipe.as_json()) == recipe
        assert recipe.difference(recipe.as_json()) == ""


def test_the_order_of_windows_makes_no_difference() -> None:
    one, two = ("radius_mean", 2, 3), ("radius_std", 0.1, 0.2)
    assert Recipe("sphere", 5, windows=(one, two), q=Q) == Recipe(
        "sphere", 5, windows=(two, one), q=Q
    )


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"count": 6}, "count: it has 6, but 5 is asked for"),
        ({"seed": 1}, "seed: it has 1, but 0"),
        ({"q": Q[1:]}, "q: it has another grid"),
        ({"noise": "hard"}, "noise: it has hard, but none"),
        (
            {"windows": (("radius_mean", 2, 3),)},
            "windows: it has radius_mean=2..3, but none",
        ),
    ],
)
def test_the_difference_of_two_recipes_is_named(
    other: dict[str, Any], sentence: str
) -> None:
    recipe = Recipe("sphere", 5, q=Q)
    assert sentence in recipe.difference(replace(recipe, **other).as_json())


def test_the_last_block_is_cut() -> None:
    recipe = Recipe("sphere", 2 * Recipe("sphere", 1, q=Q).block + 3, q=Q)
    assert recipe.blocks == 3
    assert [recipe.held(n) for n in range(3)] == [recipe.block, recipe.block, 3]
