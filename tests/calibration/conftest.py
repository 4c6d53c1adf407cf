"""Posteriors that are right, and some that are wrong."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Loaded = Callable[[Path], ModuleType]


@pytest.fixture(scope="session")
def toys(loaded: Loaded) -> ModuleType:
    return loaded(Path(__file__).with_name("toys.py"))
