"""What tests of several folders need."""

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Loaded = Callable[[Path], ModuleType]


@pytest.fixture(scope="session")
def loaded() -> Loaded:
    """Reads a file beside the tests as a module: they are no package."""

    def loaded(path: Path) -> ModuleType:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return loaded


@pytest.fixture(scope="session")
def processes(loaded: Loaded) -> ModuleType:
    """How to start processes, and to end them."""
    return loaded(Path(__file__).parent / "crew" / "processes.py")


@pytest.fixture
def machines(tmp_path: Path, processes: ModuleType) -> Iterator[Any]:
    """A Dask cluster of this machine that a test starts process by process."""
    with ExitStack() as stack:
        yield processes.Machines(tmp_path, stack)
