"""Waves and grants, gates, waivers, snapshots."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gate_template",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("phase", sa.String(length=12), nullable=False),
        sa.Column("pass_mark", sa.BigInteger(), nullable=False),
        sa.Column("warn_mark", sa.BigInteger(), nullable=False),
        sa.Column("waiver_body", sa.String(length=120), nullable=False),
        sa.Column("criteria", sa.Text(), nullable=False),
        sa.Column("saved_by", sa.BigInteger(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("phase IN ('entry', 'stay_live', 'exit')", name=op.f("ck_gate_template_phase_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_template")),
        sa.UniqueConstraint("code", "version", name=op.f("uq_gate_template_code_version")),
    )
    op.create_table(
        "wave",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("programme_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("time_zone", sa.String(length=48), nullable=False),
        sa.Column("go_live_on", sa.Date(), nullable=False),
        sa.Column("hypercare_until", sa.Date(), nullable=False),
        sa.Column("live_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('planned', 'preparing', 'in_rehearsal', 'approved', 'live', 'hypercare', 'closed', 'cancelled')",
            name=op.f("ck_wave_state_known"),
        ),
        sa.CheckConstraint("hypercare_until > go_live_on", name=op.f("ck_wave_dates")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wave")),
        sa.UniqueConstraint("code", name=op.f("uq_wave_code")),
    )
    op.create_index(op.f("ix_wave_programme_id"), "wave", ["programme_id"], unique=False)
    op.create_table(
        "wave_register",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wave_register")),
    )
    op.create_table(
        "blackout_window",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("programme_id", sa.BigInteger(), nullable=False),
        sa.Column("wave_id", Key, nullable=True),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.CheckConstraint("ends_on > starts_on", name=op.f("ck_blackout_window_dates")),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_blackout_window_wave_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blackout_window")),
    )
    op.create_index(op.f("ix_blackout_window_programme_id"), "blackout_window", ["programme_id"], unique=False)
    op.create_table(
        "cell_grant",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("wave_id", Key, nullable=True),
        sa.Column("decision_id", sa.BigInteger(), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("process", sa.String(length=24), nullable=False),
        sa.Column("customer_group_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("opened_by", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("opens_at", UtcDateTime(), nullable=False),
        sa.Column("drain_started_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(source = 'decision' AND decision_id IS NOT NULL AND wave_id IS NOT NULL) OR (source = 'already_live' AND decision_id IS NULL AND reason IS NOT NULL)",
            name=op.f("ck_cell_grant_source_named"),
        ),
        sa.CheckConstraint(
            "process IN ('order_to_cash', 'returns_to_credit', 'warehouse', 'record_to_report')",
            name=op.f("ck_cell_grant_process_known"),
        ),
        sa.CheckConstraint("source IN ('decision', 'already_live')", name=op.f("ck_cell_grant_source_known")),
        sa.CheckConstraint(
            "state IN ('open', 'draining', 'in_fallback', 'closed')", name=op.f("ck_cell_grant_state_known")
        ),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_cell_grant_wave_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cell_grant")),
    )
    op.create_index("ix_cell_grant_cell", "cell_grant", ["site_id", "channel_id", "process"], unique=False)
    op.create_index("ix_cell_grant_wave", "cell_grant", ["wave_id"], unique=False)
    op.create_table(
        "gate",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("wave_id", Key, nullable=False),
        sa.Column("phase", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("template", sa.String(length=80), nullable=True),
        sa.Column("time_zone", sa.String(length=48), nullable=False),
        sa.Column("pass_mark", sa.BigInteger(), nullable=False),
        sa.Column("warn_mark", sa.BigInteger(), nullable=False),
        sa.Column("waiver_body", sa.String(length=120), nullable=False),
        sa.Column("criteria_version", sa.Integer(), nullable=False),
        sa.Column("decides_on", sa.Date(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("fixed_dates", sa.Text(), nullable=False),
        sa.Column("hold_needed", sa.SmallInteger(), nullable=True),
        sa.Column("hold_level", sa.BigInteger(), nullable=True),
        sa.Column("frozen_at", UtcDateTime(), nullable=True),
        sa.Column("frozen_by", sa.BigInteger(), nullable=True),
        sa.Column("frozen_by_body", sa.String(length=120), nullable=True),
        sa.CheckConstraint("phase IN ('entry', 'stay_live', 'exit')", name=op.f("ck_gate_phase_known")),
        sa.CheckConstraint("state <> 'frozen' OR frozen_at IS NOT NULL", name=op.f("ck_gate_frozen_known")),
        sa.CheckConstraint("state IN ('draft', 'frozen', 'closed')", name=op.f("ck_gate_state_known")),
        sa.CheckConstraint(
            "warn_mark > 0 AND warn_mark <= pass_mark AND pass_mark <= 10000", name=op.f("ck_gate_marks")
        ),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_gate_wave_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate")),
        sa.UniqueConstraint("wave_id", "phase", name=op.f("uq_gate_wave_id_phase")),
    )
    op.create_index(op.f("ix_gate_state"), "gate", ["state"], unique=False)
    op.create_table(
        "wave_dependency",
        sa.Column("wave_id", Key, autoincrement=False, nullable=False),
        sa.Column("depends_on_id", Key, autoincrement=False, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["depends_on_id"], ["wave.id"], name=op.f("fk_wave_dependency_depends_on_id")),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_wave_dependency_wave_id")),
        sa.PrimaryKeyConstraint("wave_id", "depends_on_id", name=op.f("pk_wave_dependency")),
    )
    op.create_table(
        "wave_scope",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("wave_id", Key, nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("process", sa.String(length=24), nullable=False),
        sa.Column("customer_group_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "process IN ('order_to_cash', 'returns_to_credit', 'warehouse', 'record_to_report')",
            name=op.f("ck_wave_scope_process_known"),
        ),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_wave_scope_wave_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wave_scope")),
    )
    op.create_index("ix_wave_scope_cell", "wave_scope", ["site_id", "channel_id"], unique=False)
    op.create_index("ix_wave_scope_wave", "wave_scope", ["wave_id"], unique=False)
    op.create_table(
        "attestation",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("gate_id", Key, nullable=False),
        sa.Column("criterion", sa.String(length=120), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("document", sa.String(length=300), nullable=True),
        sa.Column("attested_by", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["gate_id"], ["gate.id"], name=op.f("fk_attestation_gate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attestation")),
    )
    op.create_index("ix_attestation_gate", "attestation", ["gate_id", "criterion"], unique=False)
    op.create_table(
        "criterion_change",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("gate_id", Key, nullable=False),
        sa.Column("criteria_version", sa.Integer(), nullable=False),
        sa.Column("criterion", sa.String(length=120), nullable=True),
        sa.Column("change", sa.String(length=8), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("is_after_freeze", sa.Boolean(), nullable=False),
        sa.Column("body", sa.String(length=120), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("changed_by", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "change IN ('added', 'changed', 'removed', 'dated')", name=op.f("ck_criterion_change_change_known")
        ),
        sa.ForeignKeyConstraint(["gate_id"], ["gate.id"], name=op.f("fk_criterion_change_gate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_criterion_change")),
    )
    op.create_index("ix_criterion_change_gate", "criterion_change", ["gate_id"], unique=False)
    op.create_table(
        "gate_criterion",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("gate_id", Key, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("measure", sa.String(length=64), nullable=True),
        sa.Column("statistic", sa.String(length=24), nullable=True),
        sa.Column("measure_version", sa.Integer(), nullable=False),
        sa.Column("dimension", sa.String(length=64), nullable=True),
        sa.Column("customer_group_id", sa.BigInteger(), nullable=True),
        sa.Column("evidence", sa.String(length=16), nullable=False),
        sa.Column("cells", sa.Text(), nullable=False),
        sa.Column("grain", sa.String(length=8), nullable=False),
        sa.Column("basis", sa.String(length=8), nullable=False),
        sa.Column("pass_mark", sa.BigInteger(), nullable=True),
        sa.Column("warn_mark", sa.BigInteger(), nullable=True),
        sa.Column("baseline", sa.Text(), nullable=True),
        sa.Column("window_days", sa.SmallInteger(), nullable=True),
        sa.Column("min_documents", sa.Integer(), nullable=False),
        sa.Column("min_actors", sa.Integer(), nullable=False),
        sa.Column("min_days", sa.Integer(), nullable=False),
        sa.Column("weight", sa.BigInteger(), nullable=False),
        sa.Column("is_key", sa.Boolean(), nullable=False),
        sa.Column("is_statutory", sa.Boolean(), nullable=False),
        sa.Column("must_hold", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("layer", sa.String(length=12), nullable=False),
        sa.Column("removed_in", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(evidence = 'attestation') = (measure IS NULL)", name=op.f("ck_gate_criterion_measure_or_attestation")
        ),
        sa.CheckConstraint("basis IN ('value', 'bound')", name=op.f("ck_gate_criterion_basis_known")),
        sa.CheckConstraint(
            "evidence IN ('own_rehearsal', 'reference', 'legacy', 'attestation', 'own_live')",
            name=op.f("ck_gate_criterion_evidence_known"),
        ),
        sa.CheckConstraint("grain IN ('cell', 'site', 'all')", name=op.f("ck_gate_criterion_grain_known")),
        sa.CheckConstraint(
            "layer IN ('process', 'data', 'deployment', 'adoption')", name=op.f("ck_gate_criterion_layer_known")
        ),
        sa.CheckConstraint("measure IS NULL OR pass_mark IS NOT NULL", name=op.f("ck_gate_criterion_mark_known")),
        sa.CheckConstraint(
            "min_documents >= 1 AND min_actors >= 1 AND min_days >= 1", name=op.f("ck_gate_criterion_minimums")
        ),
        sa.CheckConstraint("weight >= 0", name=op.f("ck_gate_criterion_weight_not_negative")),
        sa.ForeignKeyConstraint(["gate_id"], ["gate.id"], name=op.f("fk_gate_criterion_gate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_criterion")),
        sa.UniqueConstraint("gate_id", "code", name=op.f("uq_gate_criterion_gate_id_code")),
    )
    op.create_table(
        "gate_snapshot",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("gate_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("evaluated_at", UtcDateTime(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_counted", sa.Boolean(), nullable=False),
        sa.Column("criteria_version", sa.Integer(), nullable=False),
        sa.Column("word", sa.String(length=24), nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("read_to", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "word IN ('ready', 'conditional', 'not_ready_no_evidence', 'not_ready')",
            name=op.f("ck_gate_snapshot_word_known"),
        ),
        sa.ForeignKeyConstraint(["gate_id"], ["gate.id"], name=op.f("fk_gate_snapshot_gate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_snapshot")),
        sa.UniqueConstraint("gate_id", "number", name=op.f("uq_gate_snapshot_gate_id_number")),
    )
    op.create_index(
        "uq_gate_snapshot_counted",
        "gate_snapshot",
        ["gate_id", "day"],
        unique=True,
        sqlite_where=sa.text("is_counted"),
        postgresql_where=sa.text("is_counted"),
    )
    op.create_table(
        "waiver",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("gate_id", Key, nullable=False),
        sa.Column("criterion", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rationale", sa.Text(), nullable=False),
        sa.Column("mitigation", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("granted_by", sa.BigInteger(), nullable=True),
        sa.Column("granted_at", UtcDateTime(), nullable=True),
        sa.Column("body", sa.String(length=120), nullable=True),
        sa.Column("by_steering", sa.Boolean(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("outcome_reason", sa.Text(), nullable=True),
        sa.Column("lapse_told_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('requested', 'granted', 'refused', 'withdrawn', 'ended')", name=op.f("ck_waiver_state_known")
        ),
        sa.CheckConstraint(
            "state NOT IN ('granted', 'ended') OR granted_by IS NOT NULL", name=op.f("ck_waiver_granter_known")
        ),
        sa.CheckConstraint(
            "granted_by IS NULL OR granted_by <> requested_by", name=op.f("ck_waiver_granted_by_another")
        ),
        sa.ForeignKeyConstraint(["gate_id"], ["gate.id"], name=op.f("fk_waiver_gate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiver")),
    )
    op.create_index("ix_waiver_gate", "waiver", ["gate_id", "state"], unique=False)
    op.create_table(
        "gate_snapshot_line",
        sa.Column("snapshot_id", Key, autoincrement=False, nullable=False),
        sa.Column("criterion", sa.String(length=120), nullable=False),
        sa.Column("gate_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_counted", sa.Boolean(), nullable=False),
        sa.Column("terms", sa.String(length=16), nullable=False),
        sa.Column("word", sa.String(length=12), nullable=False),
        sa.Column("counts_as", sa.String(length=12), nullable=False),
        sa.Column("is_met", sa.Boolean(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("low", sa.BigInteger(), nullable=True),
        sa.Column("high", sa.BigInteger(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "counts_as IN ('pass', 'warn', 'fail', 'no_evidence')", name=op.f("ck_gate_snapshot_line_counts_as_known")
        ),
        sa.CheckConstraint(
            "word IN ('pass', 'warn', 'fail', 'no_evidence')", name=op.f("ck_gate_snapshot_line_word_known")
        ),
        sa.ForeignKeyConstraint(["snapshot_id"], ["gate_snapshot.id"], name=op.f("fk_gate_snapshot_line_snapshot_id")),
        sa.PrimaryKeyConstraint("snapshot_id", "criterion", name=op.f("pk_gate_snapshot_line")),
    )
    op.create_index("ix_gate_snapshot_line_trend", "gate_snapshot_line", ["gate_id", "criterion", "day"], unique=False)
    refuse_changes("attestation", "criterion_change", "gate_snapshot", "gate_snapshot_line")
    op.execute("INSERT INTO wave_register (id, revision) VALUES (1, 'first')")


def downgrade() -> None:
    op.drop_table("gate_snapshot_line")
    op.drop_table("waiver")
    op.drop_table("gate_snapshot")
    op.drop_table("gate_criterion")
    op.drop_table("criterion_change")
    op.drop_table("attestation")
    op.drop_table("wave_scope")
    op.drop_table("wave_dependency")
    op.drop_table("gate")
    op.drop_table("cell_grant")
    op.drop_table("blackout_window")
    op.drop_table("wave_register")
    op.drop_table("wave")
    op.drop_table("gate_template")
