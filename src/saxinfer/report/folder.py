"""The folder of results: never half written.

Everything is written into a hidden folder beside its place and moved there when it is
complete, so that a reader, a crash or Ctrl-C meets the old state or the new one.

One curve: ``report.html``, ``fit.json``, ``fit.h5``, ``summary.csv``. Several curves:
the same in a sub-folder each, and above them one ``summary.csv``, one ``fit.json`` of
all and an ``index.html``.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from saxinfer.inference.base import Fit
from saxinfer.report.document import Document, document, dumped
from saxinfer.report.summary import summary_csv

__all__ = ["ReportFolder", "write_report", "written_beside"]

FILES = {
    "report": "report.html",
    "json": "fit.json",
    "data": "fit.h5",
    "summary": "summary.csv",
}


class ReportFolder:
    """Takes fits one by one and writes each as soon as it comes.

    Args:
        path: Where; made if it does not exist.
        several: Whether each curve gets a sub-folder.

    Raises:
        OSError: If nothing can be written there. It is tried at once, before hours
            of fits.
    """

    def __init__(self, path: Path, *, several: bool) -> None:
        self.path = path
        self._several = several
        self._documents: list[Document] = []
        self._folders: dict[int, str] = {}
        self._made = _made_folders(path)
        try:
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError:
            self.discard_if_empty()
            raise

    def add(self, fit: Fit) -> Document:
        """Writes the report of one fit; returns its document."""
        name = self._name_for(fit) if self._several else ""
        files = {
            kind: f"{name}/{file}" if name else file for kind, file in FILES.items()
        }
        found = document(fit, files)
        with written_beside(self.path / name) as folder:
            _write_files(fit, document(fit, FILES), folder)
        self._folders[len(self._documents)] = name
        self._documents.append(found)
        return found

    def add_failure(self, found: Document) -> None:
        """Notes a file that failed, for the common summary."""
        self._documents.append(found)

    def finish(self) -> None:
        """Writes what is common to several curves."""
        from saxinfer.report.page import index_page

        if not self._several or not self._documents:
            self.discard_if_empty()
            return
        links = {i: f"{name}/report.html" for i, name in self._folders.items()}
        with written_beside(self.path) as folder:
            page = index_page(self._documents, links)
            (folder / "index.html").write_text(page, encoding="utf-8")
            (folder / "fit.json").write_text(dumped(self._documents), encoding="utf-8")
            table = summary_csv(self._documents)
            (folder / "summary.csv").write_text(table, encoding="utf-8")

    def discard_if_empty(self) -> None:
        """Takes back the folders made for results that never came."""
        for folder in self._made:
            if folder.exists() and not any(folder.iterdir()):
                folder.rmdir()

    def _name_for(self, fit: Fit) -> str:
        """A name of the sub-folder that every system accepts and no other curve has."""
        taken = {name.lower() for name in self._folders.values()}
        stem = safe_name(Path(fit.curve.file).stem or fit.curve.name or "curve")
        name = stem if fit.curve.entry == 0 else f"{stem}_{fit.curve.entry}"
        count = 2
        while name.lower() in taken:
            name = f"{stem}_{fit.curve.entry}-{count}"
            count += 1
        return name


def write_report(fits: Sequence[Fit], path: Path) -> list[Document]:
    """Writes the reports of some fits into a folder; returns their documents.

    Raises:
        OSError: If it cannot be written there.
    """
    folder = ReportFolder(path, several=len(fits) > 1)
    try:
        return [folder.add(fit) for fit in fits]
    finally:
        folder.finish()


def safe_name(text: str) -> str:
    """A file name of letters, digits, dots, dashes and underscores.

    Example:
        >>> safe_name("wood / wet: 90 %"), safe_name("..")
        ('wood_wet_90', 'curve')
    """
    name = re.sub(r"[^\w.\-]+", "_", text).strip("._-")[:80]
    reserved = re.fullmatch(r"(?i)con|prn|aux|nul|com\d|lpt\d", name)
    return f"{name}_" if reserved else name or "curve"


def _made_folders(path: Path) -> list[Path]:
    """Makes a folder and those above it; returns the new ones, the inner first."""
    missing = [p for p in (path, *path.parents) if not p.exists()]
    path.mkdir(parents=True, exist_ok=True)
    return missing


@contextmanager
def written_beside(target: Path) -> Iterator[Path]:
    """A hidden folder whose files move to ``target`` once all are there."""
    beside = target if target.exists() else target.parent
    staged = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=beside))
    try:
        yield staged
        if target.exists():
            for file in staged.iterdir():
                file.replace(target / file.name)
        else:
            staged.chmod(0o755)
            staged.replace(target)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _write_files(fit: Fit, found: Document, folder: Path) -> None:
    from saxinfer.report.nxcansas import write_nxcansas
    from saxinfer.report.page import report_page

    write_nxcansas(fit, folder / FILES["data"])
    (folder / FILES["json"]).write_text(dumped([found]), encoding="utf-8")
    (folder / FILES["summary"]).write_text(summary_csv([found]), encoding="utf-8")
    (folder / FILES["report"]).write_text(report_page(fit), encoding="utf-8")
