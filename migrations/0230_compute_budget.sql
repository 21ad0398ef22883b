-- What a compute pool may use of a month, what it used, and where it stands with that.
ALTER TABLE compute_pool ADD COLUMN budget jsonb;

-- Sums that only grow, one for each counter that an agent counted on: what is told twice counts once. Written only by link/job.
CREATE TABLE compute_use (
    compute_pool_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    -- Its first day, UTC.
    month date NOT NULL,
    counter uuid NOT NULL,
    unit_ms bigint NOT NULL CHECK (unit_ms >= 0),
    PRIMARY KEY (compute_pool_id, month, counter),
    FOREIGN KEY (tenant_id, compute_pool_id) REFERENCES compute_pool (tenant_id, id) ON DELETE CASCADE
);

-- What was found when pools were looked at last. Written only by compute_pool/evaluate.
CREATE TABLE compute_budget (
    compute_pool_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    month date NOT NULL,
    level text NOT NULL CHECK (level IN ('WITHIN', 'WARNED', 'EXHAUSTED')),
    since timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (tenant_id, compute_pool_id) REFERENCES compute_pool (tenant_id, id) ON DELETE CASCADE
);

CALL guard_tenant('compute_use');
CALL guard_tenant('compute_budget');
CREATE POLICY data_plane_scope ON compute_use USING (data_plane_id = (SELECT app_data_plane()));
CREATE POLICY data_plane_scope ON compute_budget FOR SELECT USING (
    compute_pool_id IN (SELECT id FROM compute_pool WHERE data_plane_id = (SELECT app_data_plane())));
