"""The folder of results: never half written.

Everything is written into a hidden folder beside its place and moved there when it is
complete, so that a reader, a crash or Ctrl-C meets the old state or the new one.

One curve: ``report.html``, ``fit.json``, ``fit.h5``, ``summary.csv``. Several curves:
the same in a sub-folder each, and above them one ``summary.csv``, one ``fit.json`` of
all and an ``index.html``. Where models were chosen, ``identify.json`` stands beside
each ``fit.json``.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from saxinfer.curve import Curve
from saxinfer.inference.base import Fit
from saxinfer.report.choice import identification
from saxinfer.report.document import Document, document, dumped
from saxinfer.report.summary import summary_csv

__all__ = ["Rendered", "ReportFolder", "write_report", "written_beside"]

FILES = {
    "report": "report.html",
    "json": "fit.json",
    "data": "fit.h5",
    "summary": "summary.csv",
}

# Of a fit whose model was chosen, besides.
CHOICE = {"identification": "identify.json"}


class ReportFolder:
    """Takes fits one by one and writes each as soon as it comes.

    Fits may come in any order; the common table has that of their numbers.

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
        self._documents: dict[int, Document] = {}
        self._names: list[str] = []
        self._made = _made_folders(path)
        try:
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError:
            self.discard_if_empty()
            raise

    def name_for(self, curve: Curve) -> str:
        """A sub-folder that every system accepts and no other curve has; or none."""
        if not self._several:
            return ""
        taken = {name.lower() for name in self._names}
        stem = safe_name(Path(curve.file).stem or curve.name or "curve")
        name = stem if curve.entry == 0 else f"{stem}_{curve.entry}"
        count = 2
        while name.lower() in taken:
            name = f"{stem}_{curve.entry}-{count}"
            count += 1
        self._names.append(name)
        return name

    def add(self, fit: Fit) -> Document:
        """Writes the report of one fit; returns its document."""
        number = len(self._documents)
        return self.put(number, Rendered.of(fit, self.name_for(fit.curve)))

    def put(self, number: int, made: "Rendered") -> Document:
        """Writes a report that was made elsewhere; returns its document.

        Args:
            number: Place of the curve among all.
            made: Report with a name from ``name_for``.
        """
        with written_beside(self.path / made.name) as folder:
            for file, content in made.files.items():
                (folder / file).write_bytes(content)
        self._documents[number] = made.document
        return made.document

    def add_failure(self, found: Document, number: int | None = None) -> None:
        """Notes a file that failed, for the common summary."""
        self._documents[len(self._documents) if number is None else number] = found

    def finish(self) -> None:
        """Writes what is common to several curves."""
        from saxinfer.report.page import index_page

        if not self._several or not self._documents:
            self.discard_if_empty()
            return
        documents = [self._documents[number] for number in sorted(self._documents)]
        links = {
            i: found["files"]["report"]
            for i, found in enumerate(documents)
            if "error" not in found
        }
        with written_beside(self.path) as folder:
            page = index_page(documents, links)
            (folder / "index.html").write_text(page, encoding="utf-8")
            (folder / "fit.json").write_text(dumped(documents), encoding="utf-8")
            table = summary_csv(documents)
            (folder / "summary.csv").write_text(table, encoding="utf-8")
            if any("models" in found for found in documents):
                told = identification(documents)
                name = CHOICE["identification"]
                (folder / name).write_text(told, encoding="utf-8")

    def discard_if_empty(self) -> None:
        """Takes back the folders made for results that never came."""
        for folder in self._made:
            if folder.exists() and not any(folder.iterdir()):
                folder.rmdir()


@dataclass(frozen=True)
class Rendered:
    """The report of one fit, ready to be written.

    Attributes:
        name: Sub-folder that it belongs to; "" for none.
        document: What the common summary needs.
        files: Content by file name.
    """

    name: str
    document: Document
    files: Mapping[str, bytes]

    @classmethod
    def of(cls, fit: Fit, name: str = "") -> "Rendered":
        """Makes all files of a report."""
        places = {
            kind: f"{name}/{file}" if name else file
            for kind, file in _files(fit).items()
        }
        return cls(name, document(fit, places), _contents(fit))


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


def _files(fit: Fit) -> dict[str, str]:
    """Names of the files of a fit, by kind."""
    return FILES | (CHOICE if fit.rivals else {})


def _contents(fit: Fit) -> dict[str, bytes]:
    """Every file of a fit, by name."""
    from saxinfer.report.nxcansas import write_nxcansas
    from saxinfer.report.page import report_page

    found = document(fit, _files(fit))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / FILES["data"]
        write_nxcansas(fit, place)
        data = place.read_bytes()
    contents = {
        FILES["data"]: data,
        FILES["json"]: dumped([found]).encode(),
        FILES["summary"]: summary_csv([found]).encode(),
        FILES["report"]: report_page(fit).encode(),
    }
    if fit.rivals:
        contents[CHOICE["identification"]] = identification([found]).encode()
    return contents
