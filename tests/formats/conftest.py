"""Where the measured files lie, and small builders of files."""

import importlib.resources
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float64

Numbers = Float64[np.ndarray, "q"]

MEASURED = Path(
    os.environ.get(
        "SAXINFER_MEASURED_DATA",
        Path(__file__).parents[3] / "shared" / "data" / "real",
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


@pytest.fixture
def q() -> Numbers:
    return np.linspace(0.01, 0.3, 40)


@pytest.fixture
def intensity(q: Numbers) -> Numbers:
    return np.asarray(100 * np.exp(-((q * 20) ** 2) / 3) + 0.5)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Writes text or bytes to a file of a name, and returns its path."""

    def to(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to
