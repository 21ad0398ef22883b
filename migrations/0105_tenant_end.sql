-- What agents reported of a tenant's objects does not hold the tenant: a report may outlive its object.
ALTER TABLE object_status DROP CONSTRAINT object_status_tenant_id_fkey;
ALTER TABLE object_status ADD CONSTRAINT object_status_tenant_exists
    FOREIGN KEY (tenant_id) REFERENCES tenant (id) ON DELETE CASCADE NOT VALID;
ALTER TABLE object_status VALIDATE CONSTRAINT object_status_tenant_exists;
