-- Usage: windows as they came, each counted once, and their sums by the hour. Written only by link/usage.
-- No reference to objects: usage outlives what caused it.

CREATE TABLE usage_window (
    data_plane_id uuid NOT NULL,
    gateway_id text NOT NULL,
    boot bigint NOT NULL,
    sequence bigint NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (data_plane_id, gateway_id, boot, sequence)
);
CALL guard_operator('usage_window');
CREATE POLICY data_plane_scope ON usage_window USING (data_plane_id = (SELECT app_data_plane()));

-- A window's rows: what a line of a statement goes back to.
CREATE TABLE usage_row (
    data_plane_id uuid NOT NULL,
    gateway_id text NOT NULL,
    boot bigint NOT NULL,
    sequence bigint NOT NULL,
    ordinal integer NOT NULL,
    organization_id uuid,
    tenant_id uuid NOT NULL,
    environment_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    topic_id uuid NOT NULL,
    principal_id uuid NOT NULL,
    direction text NOT NULL CHECK (direction IN ('PRODUCE', 'FETCH')),
    uncertain boolean NOT NULL,
    hour timestamptz NOT NULL,
    bytes bigint NOT NULL CHECK (bytes >= 0),
    records bigint NOT NULL CHECK (records >= 0),
    requests bigint NOT NULL CHECK (requests >= 0),
    PRIMARY KEY (data_plane_id, gateway_id, boot, sequence, ordinal),
    FOREIGN KEY (data_plane_id, gateway_id, boot, sequence) REFERENCES usage_window ON DELETE CASCADE
);
CREATE INDEX usage_row_tenant ON usage_row (tenant_id, hour);
CALL guard_tenant('usage_row');
CREATE POLICY data_plane_scope ON usage_row USING (data_plane_id = (SELECT app_data_plane()))
    WITH CHECK (data_plane_id = (SELECT app_data_plane()) AND (cluster_id, tenant_id) IN (
        SELECT cluster_id, tenant_id FROM served_cluster WHERE data_plane_id = (SELECT app_data_plane())));

-- Sums of usage_row, kept in the same transaction. Uncertain amounts stand apart: they are shown, and priced at zero.
CREATE TABLE usage_hour (
    tenant_id uuid NOT NULL,
    hour timestamptz NOT NULL,
    cluster_id uuid NOT NULL,
    topic_id uuid NOT NULL,
    principal_id uuid NOT NULL,
    direction text NOT NULL CHECK (direction IN ('PRODUCE', 'FETCH')),
    organization_id uuid,
    environment_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    bytes bigint NOT NULL,
    records bigint NOT NULL,
    requests bigint NOT NULL,
    uncertain_bytes bigint NOT NULL,
    PRIMARY KEY (tenant_id, hour, cluster_id, topic_id, principal_id, direction)
);
CREATE INDEX usage_hour_hour ON usage_hour (hour);
CALL guard_tenant('usage_hour');
CREATE POLICY data_plane_scope ON usage_hour USING (data_plane_id = (SELECT app_data_plane()))
    WITH CHECK (data_plane_id = (SELECT app_data_plane()) AND (cluster_id, tenant_id) IN (
        SELECT cluster_id, tenant_id FROM served_cluster WHERE data_plane_id = (SELECT app_data_plane())));

-- Up to when a data plane has told all of its usage. A table of its own: tenants with clusters there read it, and
-- nothing else about the agent.
CREATE TABLE usage_progress (
    data_plane_id uuid PRIMARY KEY REFERENCES data_plane (id) ON DELETE CASCADE,
    complete_until timestamptz NOT NULL
);
CALL guard_operator('usage_progress');
CREATE POLICY data_plane_scope ON usage_progress USING (data_plane_id = (SELECT app_data_plane()));
CREATE POLICY tenant_scope ON usage_progress FOR SELECT USING (data_plane_id IN (
    SELECT data_plane_id FROM cluster WHERE tenant_id = (SELECT app_tenant())));
CREATE POLICY organization_scope ON usage_progress FOR SELECT USING (data_plane_id IN (
    SELECT data_plane_id FROM cluster WHERE tenant_id IN (
        SELECT id FROM tenant WHERE organization_id = (SELECT app_organization()))));
