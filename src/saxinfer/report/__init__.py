"""What a reader gets to see of a fit: page, figures, tables, JSON and NXcanSAS."""

from saxinfer.report.choice import identification
from saxinfer.report.document import document, dumped, failure
from saxinfer.report.folder import ReportFolder, write_report
from saxinfer.report.notebook import notebook_html, register_in_notebook, show

__all__ = [
    "ReportFolder",
    "document",
    "dumped",
    "failure",
    "identification",
    "notebook_html",
    "register_in_notebook",
    "show",
    "write_report",
]
