"""A method that is right, and the same made overconfident."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Loaded = Callable[[Path], ModuleType]


@pytest.fixture(scope="session")
def toy(loaded: Loaded) -> ModuleType:
    return loaded(Path(__file__).with_name("toy.py"))
