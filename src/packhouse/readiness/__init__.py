"""The readiness report: what must be true before a public launch, looked at and told with evidence.

No check reads only a setting: each sends a request, reads a row, restores a backup. Probes come
from addresses of their own, so that nobody's limits are touched, and leave nothing behind but a
line in the audit log.
"""

from packhouse.readiness.checklist import CHECKLIST
from packhouse.readiness.model import Line, Report, Seen
from packhouse.readiness.report import as_json, report_readiness
from packhouse.readiness.shop import Check, Shop
from packhouse.readiness.visits import Visits

__all__ = [
    "CHECKLIST",
    "Check",
    "Line",
    "Report",
    "Seen",
    "Shop",
    "Visits",
    "as_json",
    "report_readiness",
]
