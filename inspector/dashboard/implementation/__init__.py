"""What the page Implementation shows: a report that somebody else's process wrote, and a trial.

Must not know: what is right.
"""

from inspector.dashboard.implementation.report_file import Report, read_report
from inspector.dashboard.implementation.trial import Trial, template

__all__ = ["Report", "Trial", "read_report", "template"]
