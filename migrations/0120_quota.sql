-- Quotas: how much service accounts may use of a cluster. Kept by the gateways of its data plane.
-- At most one of each subject says something of a principal on a cluster; `quota_principal` names those of PRINCIPALS and SHARED.

CREATE TABLE quota (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    subject text NOT NULL CHECK (subject IN ('PRINCIPALS', 'DEFAULT', 'SHARED', 'TENANT')),
    mode text NOT NULL CHECK (mode IN ('ENFORCE', 'SHADOW')),
    ingress_bytes_per_second bigint CHECK (ingress_bytes_per_second > 0),
    egress_bytes_per_second bigint CHECK (egress_bytes_per_second > 0),
    requests_per_second bigint CHECK (requests_per_second > 0),
    connections bigint CHECK (connections > 0),
    floor_ingress_bytes_per_second bigint CHECK (floor_ingress_bytes_per_second > 0),
    floor_egress_bytes_per_second bigint CHECK (floor_egress_bytes_per_second > 0),
    burst_seconds integer NOT NULL CHECK (burst_seconds >= 0),
    desired_n bigint NOT NULL DEFAULT 0,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, cluster_id, subject, id),
    CONSTRAINT quota_cluster_exists FOREIGN KEY (tenant_id, data_plane_id, cluster_id)
        REFERENCES cluster (tenant_id, data_plane_id, id)
);
CREATE UNIQUE INDEX quota_subject_unique ON quota (cluster_id, subject) WHERE subject IN ('DEFAULT', 'TENANT');
CREATE INDEX quota_tenant ON quota (tenant_id, id);
CREATE INDEX quota_data_plane ON quota (data_plane_id, id);

CREATE TABLE quota_principal (
    quota_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    subject text NOT NULL CHECK (subject IN ('PRINCIPALS', 'SHARED')),
    service_account_id uuid NOT NULL,
    PRIMARY KEY (quota_id, service_account_id),
    CONSTRAINT quota_principal_unique UNIQUE (cluster_id, subject, service_account_id),
    CONSTRAINT quota_principal_quota_exists FOREIGN KEY (tenant_id, cluster_id, subject, quota_id)
        REFERENCES quota (tenant_id, cluster_id, subject, id) ON DELETE CASCADE,
    CONSTRAINT quota_principal_service_account_exists FOREIGN KEY (tenant_id, service_account_id)
        REFERENCES service_account (tenant_id, id)
);
CREATE INDEX quota_principal_service_account ON quota_principal (service_account_id);

CALL guard_tenant('quota');
CREATE POLICY data_plane_scope ON quota FOR SELECT USING (data_plane_id = (SELECT app_data_plane()));
CALL guard_tenant('quota_principal');
CREATE POLICY data_plane_scope ON quota_principal FOR SELECT USING (
    cluster_id IN (SELECT id FROM cluster WHERE data_plane_id = (SELECT app_data_plane())));
