"""Small recipes, and folders compared byte by byte."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

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


@pytest.fixture(scope="session")
def processes() -> ModuleType:
    """How to start processes, and to end them."""
    path = Path(__file__).with_name("processes.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree() -> Callable[[Path], dict[str, bytes]]:
    """All files of a folder with what is in them."""

    def tree(folder: Path) -> dict[str, bytes]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}

    return tree
