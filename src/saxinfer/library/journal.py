"""Which blocks of a library are done: one number a line, added when it is true."""

import os
from io import FileIO
from pathlib import Path
from types import TracebackType

from saxinfer.library.error import LibraryError

__all__ = ["Journal"]


class Journal:
    """A list of numbers that outlives its process at any moment.

    A line that was not written to its end does not count. While it is open no other
    process can open it (where the system has such locks).

    Args:
        path: The file.
        file: The same, open for appending.
    """

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path, self._file = path, file
        self.done = self._read()

    @classmethod
    def opened(cls, path: Path) -> "Journal":
        """Opens a journal, or begins one.

        Raises:
            LibraryError: If another process has it open.
        """
        # Unbuffered: what a full disk refused must not come back on closing.
        file = path.open("a+b", buffering=0)
        if not _locked(file):
            file.close()
            raise LibraryError(
                f"{path.parent}: another process is at work on it. Wait for its end, "
                "or name another folder with -o."
            )
        return cls(path, file)

    def add(self, number: int) -> None:
        """Notes that a block is done, and waits until that is on disk."""
        self._file.write(b"%d\n" % number)
        os.fsync(self._file.fileno())
        self.done.add(number)

    def remove(self) -> None:
        """Removes the file."""
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def _read(self) -> set[int]:
        self._file.seek(0)
        text = self._file.read()
        whole = text[: text.rfind(b"\n") + 1]
        # A torn line would join with the next one.
        self._file.truncate(len(whole))
        return {int(line) for line in whole.split()}


def _locked(file: FileIO) -> bool:
    """Whether this process is now the only one to hold the file."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
