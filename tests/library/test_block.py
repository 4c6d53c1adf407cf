"""A block is a function of the recipe and its number alone."""

from dataclasses import replace

import pytest
import torch

from saxinfer.library import Recipe
from saxinfer.library.block import computed, has_sigma, q_of
from saxinfer.library.columns import columns_of
from saxinfer.library.recipe import Noise


def test_curves_are_those_of_the_closed_form(recipe: Recipe) -> None:
    block = computed(recipe, 1)
    theta = torch.from_numpy(block.columns[:, : len(recipe.space)].copy())
    q = torch.tensor(recipe.q, dtype=torch.float64)
    closed = recipe.structure.intensity(q, theta).numpy()
    assert (block.intensity == closed).all()
    assert block.sigma is None
    assert not has_sigma(recipe)


@pytest.mark.parametrize("noise", ["none", "standard", "hard"])
def test_the_number_of_curves_moves_no_bit(recipe: Recipe, noise: Noise) -> None:
    whole = computed(replace(recipe, noise=noise), 0)
    short = computed(replace(recipe, noise=noise, count=150), 0)
    assert short.intensity.shape == (150, 30)
    assert (whole.intensity[:150] == short.intensity).all()
    assert (whole.columns[:150] == short.columns).all()
    if whole.sigma is not None and short.sigma is not None:
        assert (whole.sigma[:150] == short.sigma).all()


@pytest.mark.parametrize("noise", ["none", "hard"])
def test_nor_does_it_where_structures_are_drawn(drawn: Recipe, noise: Noise) -> None:
    whole = computed(replace(drawn, noise=noise), 1)
    short = computed(replace(drawn, noise=noise, count=22), 1)
    assert whole.sigma is not None
    assert short.sigma is not None
    assert len(short.intensity) == 2
    assert (whole.intensity[:2] == short.intensity).all()
    assert (whole.sigma[:2] == short.sigma).all()
    assert (whole.columns[:2] == short.columns).all()


def test_noise_adds_to_the_speckle(drawn: Recipe) -> None:
    quiet, loud = computed(drawn, 1), computed(replace(drawn, noise="standard"), 1)
    assert quiet.sigma is not None
    assert loud.sigma is not None
    assert (loud.sigma > quiet.sigma).all()
    assert loud.columns.shape[1] == len(columns_of(replace(drawn, noise="standard")))
    assert len(q_of(drawn)) == 10
    assert has_sigma(drawn)


def test_seeds_differ(recipe: Recipe) -> None:
    other = computed(replace(recipe, seed=4), 0)
    assert (computed(recipe, 0).columns != other.columns).all()
