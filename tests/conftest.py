"""What tests of several folders need."""

import importlib.util
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="session")
def processes() -> ModuleType:
    """How to start processes, and to end them."""
    path = Path(__file__).parent / "crew" / "processes.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def machines(tmp_path: Path, processes: ModuleType) -> Iterator[Any]:
    """A Dask cluster of this machine that a test starts process by process."""
    with ExitStack() as stack:
        yield processes.Machines(tmp_path, stack)
