-- What quotas were used for, as agents report it every few seconds: a short history for people, not for bills.
-- Written only by link/quota; rows older than an hour are forgotten.
CREATE TABLE quota_use (
    quota_id uuid NOT NULL REFERENCES quota (id) ON DELETE CASCADE,
    tenant_id uuid NOT NULL,
    principal_id uuid NOT NULL,
    ended_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    ingress_bytes bigint NOT NULL,
    egress_bytes bigint NOT NULL,
    requests bigint NOT NULL,
    throttled_ms bigint NOT NULL,
    would_throttle_ms bigint NOT NULL,
    connections bigint NOT NULL,
    connections_refused bigint NOT NULL,
    PRIMARY KEY (quota_id, ended_at, principal_id)
);
CALL guard_tenant('quota_use');
CREATE POLICY data_plane_scope ON quota_use USING ((quota_id, tenant_id) IN (
    SELECT id, tenant_id FROM quota WHERE data_plane_id = (SELECT app_data_plane())));
