"""What services offer, all of it; `lnl_core.services` hands it out."""

from lnl_core.services.datasets.catalog import (
    DEMO_NAME,
    DatasetCard,
    add_demo,
    add_noise,
    add_public,
    class_counts,
    import_dataset,
    overview,
    public_sets,
    remove_dataset,
    rename_dataset,
)
from lnl_core.services.export.exporting import (
    ExportPlan,
    ExportResult,
    allowed_target,
    correction_rows,
    decision_rows,
    export_folder,
    manifest_rows,
    plan_export,
    rank_rows,
    trail_rows,
    verdict_counts,
    write_export,
    write_scores,
)
from lnl_core.services.export.formats import FORMATS
from lnl_core.services.export.reimporting import Conflict, DecisionImport, import_decisions
from lnl_core.services.review.auditing import AuditReport, ErrorsLeft, errors_left
from lnl_core.services.review.auditing import report as audit_report
from lnl_core.services.review.desk import (
    Filters,
    PageState,
    Progress,
    Recorded,
    ReviewState,
    page_state,
    progress,
    record,
    review_state,
)
from lnl_core.services.review.evidence import evidence
from lnl_core.services.review.looking import where_it_looks
from lnl_core.services.review.pictures import image_bytes
from lnl_core.services.runs.own import Brought, score_with
from lnl_core.services.runs.running import (
    estimate,
    feature_runs,
    features_seconds,
    kept_networks,
    reconcile,
    start_runs,
    usable_executors,
)
from lnl_core.services.runs.status import status
from lnl_core.services.touring import start_tour, tour_methods

__all__ = [
    "DEMO_NAME",
    "FORMATS",
    "AuditReport",
    "Brought",
    "Conflict",
    "DatasetCard",
    "DecisionImport",
    "ErrorsLeft",
    "ExportPlan",
    "ExportResult",
    "Filters",
    "PageState",
    "Progress",
    "Recorded",
    "ReviewState",
    "add_demo",
    "add_noise",
    "add_public",
    "allowed_target",
    "audit_report",
    "class_counts",
    "correction_rows",
    "decision_rows",
    "errors_left",
    "estimate",
    "evidence",
    "export_folder",
    "feature_runs",
    "features_seconds",
    "image_bytes",
    "import_dataset",
    "import_decisions",
    "kept_networks",
    "manifest_rows",
    "overview",
    "page_state",
    "plan_export",
    "progress",
    "public_sets",
    "rank_rows",
    "reconcile",
    "record",
    "remove_dataset",
    "rename_dataset",
    "review_state",
    "score_with",
    "start_runs",
    "start_tour",
    "status",
    "tour_methods",
    "trail_rows",
    "usable_executors",
    "verdict_counts",
    "where_it_looks",
    "write_export",
    "write_scores",
]
