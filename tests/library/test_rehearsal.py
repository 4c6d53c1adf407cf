"""What a box cannot hold is found out before anything is made."""

import re
from dataclasses import replace

import pytest

from saxinfer.library import Box, LibraryError, Recipe
from saxinfer.library.rehearsal import rehearse
from saxinfer.structures.cellulose import Cellulose

pytest.importorskip("numba")


def advised(recipe: Recipe) -> Recipe:
    """The recipe narrowed as the sentence of a refusal says."""
    with pytest.raises(LibraryError) as refusal:
        rehearse(recipe)
    assert re.match(r"curve \d+ \(.*\) cannot be drawn: ", str(refusal.value))
    ranges = re.findall(r"-p (\w+)=([\d.e-]+)\.\.([\d.e-]*\d)", str(refusal.value))
    assert ranges
    for name, low, high in ranges:
        recipe = recipe.narrowed(name, float(low), float(high))
    return recipe


def test_fields_that_a_box_cannot_hold_are_narrowed_by_mu() -> None:
    recipe = Recipe("cellulose", 50, engine="structure", box=Box(1024, 0.125, 2, 83))
    found = advised(recipe)
    ((name, low, high),) = found.windows
    assert (name, high) == ("mu", 1.0)
    # 60 over the edge of 128 nm, rounded inwards; tries are 0.002 apart there.
    assert 60 / 128 <= low <= 0.49
    rehearse(found)


@pytest.mark.parametrize("name", ["sphere", "core_shell_sphere"])
def test_spheres_that_a_box_cannot_hold_are_narrowed_by_size(name: str) -> None:
    recipe = Recipe(name, 50, engine="structure", box=Box(96, 0.25, 3, 10))
    found = advised(recipe)
    low, high = found.space.bounds("radius_mean")
    # Five voxels of 0.25 nm, and three quarters of a box of 24 nm.
    assert 1.25 <= low < high <= 9.0
    rehearse(found)


def test_a_box_of_no_use_gets_no_advice() -> None:
    recipe = Recipe("cellulose", 50, engine="structure", box=Box(512, 0.25, 2, 20))
    with pytest.raises(LibraryError, match=r"too coarse .* Take 0\.125 nm at most\.$"):
        rehearse(recipe)


def test_q_beyond_what_a_box_is_good_for_is_refused(drawn: Recipe) -> None:
    q = tuple(0.1 * n for n in range(6, 20))
    with pytest.raises(LibraryError, match=r"can be trusted up to 1\.636 1/nm"):
        rehearse(replace(drawn, q=q))


def test_windows_that_leave_nothing_are_refused() -> None:
    q = tuple(0.1 * n for n in range(6, 20))
    windows = (("sld_grf1", 0.1, 0.5), ("sld_grf2", 0.5, 0.5))
    with pytest.raises(LibraryError, match="no point within the ranges"):
        rehearse(Recipe("cellulose", 5, q=q, windows=windows))


def test_what_can_be_drawn_is_not_drawn_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(*_: object) -> None:
        raise AssertionError("this would take a second for each")

    monkeypatch.setattr(Cellulose, "realise", drawn)
    windows = (("alpha_mean", 1.0, 1.0), ("phi_crystal", 0.6, 0.6), ("mu", 1.0, 1.0))
    box = Box(1024, 0.125, 2, 83)
    rehearse(Recipe("cellulose", 60, engine="structure", windows=windows, box=box))
