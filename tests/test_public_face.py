"""Mirrors src/saxinfer/__init__.py: what importing it offers, and what it costs."""

import inspect
import re
import subprocess
import sys

import pytest

import saxinfer

# Each of these takes a second or more to load, or need not be installed at all.
HEAVY = (
    "arviz",
    "dask",
    "distributed",
    "lightning",
    "matplotlib",
    "numba",
    "sasmodels",
    "sklearn",
    "xarray",
    "xgboost",
    "zarr",
)


@pytest.mark.parametrize("name", saxinfer.__all__)
def test_every_name_of_the_root_is_there_and_documented(name: str) -> None:
    thing = getattr(saxinfer, name)
    if callable(thing):
        # A dataclass without a docstring is given its signature as one.
        text = inspect.getdoc(thing) or ""
        assert text
        assert not text.startswith(f"{name}(")


def test_the_root_has_about_ten_names() -> None:
    assert len(saxinfer.__all__) <= 15
    assert sorted(saxinfer.__all__) == sorted(set(saxinfer.__all__))


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after some code."""
    command = [
        sys.executable,
        "-c",
        f"import sys, saxinfer; {code}; print(*sys.modules)",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_importing_the_package_does_not_wait_for_anything() -> None:
    loaded = loaded_by("pass")
    assert "saxinfer" in loaded
    assert loaded.isdisjoint((*HEAVY, "torch", "scipy", "pandas", "h5py"))


def test_asking_for_every_public_name_loads_no_heavy_library() -> None:
    loaded = loaded_by("[getattr(saxinfer, name) for name in saxinfer.__all__]")
    assert "torch" in loaded
    assert loaded.isdisjoint(HEAVY), sorted(loaded.intersection(HEAVY))


def test_an_unknown_name_of_the_root_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'saxinfer' has no attribute 'cube'"):
        saxinfer.cube  # noqa: B018


def test_the_root_states_its_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", saxinfer.__version__)
    assert set(saxinfer.__all__) < set(dir(saxinfer))
