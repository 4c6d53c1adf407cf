"""A journal knows what is done, whenever its process ended."""

from pathlib import Path

import pytest

from saxinfer.library.error import LibraryError
from saxinfer.library.journal import Journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def test_what_was_added_is_there_again(path: Path) -> None:
    with Journal.opened(path) as journal:
        assert journal.done == set()
        journal.add(3)
        journal.add(12)
    with Journal.opened(path) as journal:
        assert journal.done == {3, 12}


def test_half_a_line_does_not_count_and_spoils_nothing(path: Path) -> None:
    path.write_bytes(b"3\n1")
    with Journal.opened(path) as journal:
        assert journal.done == {3}
        journal.add(2)
    assert path.read_bytes() == b"3\n2\n"


def test_two_processes_cannot_keep_one_journal(path: Path) -> None:
    pytest.importorskip("fcntl")
    with (
        Journal.opened(path),
        pytest.raises(LibraryError, match="another process is at work"),
    ):
        Journal.opened(path)
    with Journal.opened(path):
        pass


def test_it_can_be_removed(path: Path) -> None:
    with Journal.opened(path) as journal:
        journal.remove()
        journal.remove()
    assert not path.exists()
