"""Small recipes, and folders compared byte by byte."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from saxinfer.library import Box, Recipe

Q = tuple(np.geomspace(0.05, 2.0, 30).tolist())


@pytest.fixture
def recipe() -> Recipe:
    """Three blocks of curves in closed form, the last of them cut."""
    return Recipe("sphere", 600, seed=3, q=Q)


@pytest.fixture
def drawn() -> Recipe:
    """Two blocks of drawn curves, quick ones."""
    windows = (("radius_mean", 3.0, 4.0), ("radius_std", 0.05, 0.5))
    box = Box(80, 0.32, 3, rings=10)
    return Recipe("sphere", 24, seed=3, engine="structure", windows=windows, box=box)


@pytest.fixture
def tree() -> Callable[[Path], dict[str, bytes]]:
    """All files of a folder with what is in them."""

    def tree(folder: Path) -> dict[str, bytes]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}

    return tree
