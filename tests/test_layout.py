"""The house keeps its shape: every module has its test, every listed file its line."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "saxinfer"
MODULES = sorted(
    path.relative_to(SOURCE)
    for path in SOURCE.rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py")
)

# An interface is tested through its implementations, a constant by being read.
WITHOUT_TEST = {"base.py", "version.py"}

# What the choices of a folder share is not a choice itself.
SHARED = {
    "structures": {"base", "phase"},
    "formats": {
        "entry",
        "error",
        "hdf5",
        "headings",
        "source",
        "table",
        "text",
        "text_entry",
        "units",
    },
}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_has_a_test_file_of_its_name(module: Path) -> None:
    if module.name in WITHOUT_TEST:
        pytest.skip("an interface or a constant, tested where it is used")
    mirror = ROOT / "tests" / module.with_name(f"test_{module.name}")
    assert mirror.exists(), f"{module} has no test; write {mirror.relative_to(ROOT)}."


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_is_short_enough_to_read_in_one_sitting(module: Path) -> None:
    lines = len((SOURCE / module).read_text().splitlines())
    assert lines <= 400, f"{module} has {lines} lines; split it by subject."


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_starts_with_a_docstring_and_says_what_it_offers(module: Path) -> None:
    text = (SOURCE / module).read_text()
    assert text.startswith(('"""', 'r"""'))
    assert "\n__all__ = [" in text, f"{module} has no __all__; add it."


@pytest.mark.parametrize("folder", SHARED)
def test_lists_every_file_of_a_folder_of_choices(folder: str) -> None:
    face = (SOURCE / folder / "__init__.py").read_text()
    choices = {path.stem for path in (SOURCE / folder).glob("*.py")}
    for choice in sorted(choices - SHARED[folder] - {"__init__"}):
        assert choice in face, (
            f"{folder}/{choice}.py is not listed in {folder}/__init__.py; "
            "add its one line there."
        )
