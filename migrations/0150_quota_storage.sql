-- Quotas of partition mutations and of storage, and what agents report of both.
ALTER TABLE quota ADD COLUMN partition_mutations_per_second bigint CHECK (partition_mutations_per_second > 0);
ALTER TABLE quota ADD COLUMN storage_bytes bigint CHECK (storage_bytes > 0);
ALTER TABLE quota ADD CONSTRAINT quota_storage_of_tenant CHECK (storage_bytes IS NULL OR subject = 'TENANT');

ALTER TABLE quota_use ADD COLUMN partition_mutations bigint NOT NULL DEFAULT 0;
ALTER TABLE quota_use ADD COLUMN mutations_refused bigint NOT NULL DEFAULT 0;
ALTER TABLE quota_use ADD COLUMN storage_refused bigint NOT NULL DEFAULT 0;

-- How much the cluster of a quota holds, as it was last measured. Written only by link/quota.
CREATE TABLE quota_storage (
    quota_id uuid PRIMARY KEY REFERENCES quota (id) ON DELETE CASCADE,
    tenant_id uuid NOT NULL,
    bytes bigint NOT NULL CHECK (bytes >= 0),
    measured_at timestamptz NOT NULL
);
CALL guard_tenant('quota_storage');
CREATE POLICY data_plane_scope ON quota_storage USING ((quota_id, tenant_id) IN (
    SELECT id, tenant_id FROM quota WHERE data_plane_id = (SELECT app_data_plane())));
