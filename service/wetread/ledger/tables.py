"""The ledger's tables. Times are seconds since the epoch, UTC; states are the domain's enum values."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA_VERSION = 2

metadata = MetaData()

# PS3.5 table 6.2-1: a UID has at most 64 characters, an AE title 16.
_UID = String(64)
_ROW = BigInteger().with_variant(Integer, "sqlite")

about = Table("about", metadata, Column("key", String(32), primary_key=True), Column("value", Text))

studies = Table(
    "studies",
    metadata,
    Column("study_uid", _UID, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("revision", Integer, nullable=False, default=0),
    Column("outcome", String(16), nullable=False, default=""),
    Column("worst_zone", String(16), nullable=False, default=""),
    Column("is_urgent", Boolean, nullable=False, default=False),
    Column("first_image_at", Float, nullable=False),
    Column("last_image_at", Float, nullable=False),
    Column("image_count", Integer, nullable=False, default=0),
    Column("concluded_at", Float),
    Column("claimed_until", Float, nullable=False, default=0.0),
    Column("claimed_by", String(128), nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0),
    Column("problem", Text, nullable=False, default=""),
    Column("patient_id", Text, nullable=False, default=""),
    Column("patient_name", Text, nullable=False, default=""),
    Column("patient_birth_date", Text, nullable=False, default=""),
    Column("patient_sex", Text, nullable=False, default=""),
    Column("accession_number", Text, nullable=False, default=""),
    Column("study_date", Text, nullable=False, default=""),
    Column("study_time", Text, nullable=False, default=""),
    Column("study_description", Text, nullable=False, default=""),
    Index("ix_studies_open", "state", "last_image_at"),
    Index("ix_studies_arrival", "first_image_at"),
)

instances = Table(
    "instances",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("sop_instance_uid", _UID, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("study_uid", _UID, ForeignKey("studies.study_uid"), nullable=False),
    Column("spool_key", String(80), nullable=False),
    Column("size_bytes", _ROW, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("calling_aet", String(16), nullable=False),
    Column("peer", String(64), nullable=False),
    Column("door", String(8), nullable=False),
    Column("is_conflicting", Boolean, nullable=False, default=False),
    Column("header", JSON, nullable=False),
    UniqueConstraint("sop_instance_uid", "digest"),
    Index("ix_instances_study", "study_uid"),
)

analyses = Table(
    "analyses",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("instance_id", _ROW, ForeignKey("instances.id"), nullable=False),
    Column("study_uid", _UID, nullable=False),
    Column("model_name", String(64), nullable=False),
    Column("model_version", String(32), nullable=False),
    Column("model_digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("lane", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("lease_until", Float, nullable=False, default=0.0),
    Column("claimed_by", String(128), nullable=False, default=""),
    Column("reason", String(64), nullable=False, default=""),
    Column("reason_text", Text, nullable=False, default=""),
    Column("provider", String(64), nullable=False, default=""),
    Column("queued_at", Float, nullable=False),
    Column("finished_at", Float),
    UniqueConstraint("instance_id", "model_name", "model_version"),
    Index("ix_analyses_pending", "state", "lane", "id"),
    Index("ix_analyses_study", "study_uid", "state"),
)

findings = Table(
    "findings",
    metadata,
    Column("analysis_id", _ROW, ForeignKey("analyses.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("label", Text, nullable=False),
    Column("code_value", String(32), nullable=False),
    Column("code_scheme", String(16), nullable=False),
    Column("code_meaning", Text, nullable=False),
    Column("probability", Float, nullable=False),
    Column("zone", String(16), nullable=False),
    Column("sensitive", Float, nullable=False),
    Column("specific", Float, nullable=False),
    Column("boxes", JSON, nullable=False),
    Column("heat_map", String(80)),
)

reports = Table(
    "reports",
    metadata,
    Column("study_uid", _UID, ForeignKey("studies.study_uid"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("outcome", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    # The conclusion in words, and the SOP Instance UIDs it was made of: what the next revision compares with.
    Column("answer", Text, nullable=False, default=""),
    Column("inputs", JSON, nullable=False, default=list),
)

# What failed the gate and did not leave.
held = Table(
    "held",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("study_uid", _UID, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("sop_instance_uid", _UID, nullable=False),
    Column("source_uid", _UID),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
    # The same defect found again, by a second run of the same conclusion, is one row.
    Column("digest", String(64), nullable=False, unique=True),
    Index("ix_held_study", "study_uid"),
)

objects = Table(
    "objects",
    metadata,
    Column("sop_instance_uid", _UID, primary_key=True),
    Column("study_uid", _UID, nullable=False),
    Column("sop_class_uid", _UID, nullable=False),
    Column("series_uid", _UID, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("spool_key", String(80), nullable=False),
    Column("size_bytes", _ROW, nullable=False),
    Column("source_uid", _UID),
)

report_objects = Table(
    "report_objects",
    metadata,
    Column("study_uid", _UID, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("sop_instance_uid", _UID, ForeignKey("objects.sop_instance_uid"), primary_key=True),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("sop_instance_uid", _UID, ForeignKey("objects.sop_instance_uid"), nullable=False),
    Column("study_uid", _UID, nullable=False),
    Column("destination", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("created_at", Float, nullable=False),
    Column("next_attempt_at", Float, nullable=False),
    Column("lease_until", Float, nullable=False, default=0.0),
    Column("claimed_by", String(128), nullable=False, default=""),
    Column("last_status", String(16), nullable=False, default=""),
    Column("last_error", Text, nullable=False, default=""),
    Column("sent_at", Float),
    # The storage commitment request that names it, '' when none does.
    Column("transaction_uid", _UID, nullable=False, default=""),
    # Requests that found no answer in time, and answers that the destination does not have it.
    Column("commit_lapses", Integer, nullable=False, default=0),
    Column("commit_failures", Integer, nullable=False, default=0),
    UniqueConstraint("sop_instance_uid", "destination"),
    Index("ix_deliveries_due", "state", "next_attempt_at"),
    Index("ix_deliveries_study", "study_uid"),
    Index("ix_deliveries_uncommitted", "destination", "state", "transaction_uid"),
)

# One storage commitment request (PS3.4 J): one destination, the deliveries that name it.
commitments = Table(
    "commitments",
    metadata,
    Column("transaction_uid", _UID, primary_key=True),
    Column("destination", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("requested_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Index("ix_commitments_due", "state", "due_at"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("reason_text", Text, nullable=False),
    Column("spool_key", String(80)),
    Column("size_bytes", _ROW, nullable=False),
    Column("sop_instance_uid", _UID, nullable=False),
    Column("calling_aet", String(16), nullable=False),
    Column("peer", String(64), nullable=False),
    Column("door", String(8), nullable=False),
)

timeline = Table(
    "timeline",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("study_uid", _UID, nullable=False),
    Column("revision", Integer, nullable=False, default=0),
    Column("sop_instance_uid", _UID, nullable=False, default=""),
    Column("step", String(32), nullable=False),
    Column("at", Float, nullable=False),
    Column("duration_ms", Float, nullable=False, default=0.0),
    Column("detail", Text, nullable=False, default=""),
    Index("ix_timeline_study", "study_uid", "id"),
)

workers = Table(
    "workers",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("provider", String(64), nullable=False, default=""),
    Column("models", JSON, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("beat_at", Float, nullable=False),
)
