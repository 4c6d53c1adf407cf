"""What tests of several folders need, and where the measured files lie."""

import importlib.resources
import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Loaded = Callable[[Path], ModuleType]

MEASURED = Path(
    os.environ.get(
        "SAXINFER_MEASURED_DATA",
        Path(__file__).parents[2] / "shared" / "data" / "real",
    )
)
WHEEL = Path(str(importlib.resources.files("sasdata"))) / "example_data"
WHEEL_FOLDERS = ("1d_data", "2d_data", "convertible_files")


def find(name: str) -> Path | None:
    """The measured file of a name: in the folder, else in sasdata's wheel."""
    in_folder = sorted(MEASURED.rglob(name)) if MEASURED.is_dir() else []
    in_wheel = [WHEEL / folder / name for folder in WHEEL_FOLDERS]
    return next((path for path in (*in_folder, *in_wheel) if path.is_file()), None)


@pytest.fixture
def measured() -> Callable[[str], Path]:
    """Finds a measured file by name, or skips."""

    def path_of(name: str) -> Path:
        path = find(name)
        if path is None:
            # One text for all: pytest adds up equal reasons and prints their number.
            pytest.skip(f"Checks not made: no measured files in {MEASURED}.")
        return path

    return path_of


@pytest.fixture
def find_measured() -> Callable[[str], Path | None]:
    return find


@pytest.fixture
def measured_folder() -> Path:
    return MEASURED


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
