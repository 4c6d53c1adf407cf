"""Small builders of files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float64

Numbers = Float64[np.ndarray, "q"]


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
