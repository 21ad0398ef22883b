-- Price lists: for everybody, for an organization's tenants, or for one tenant; in force from a moment on.

CREATE TABLE rate_card (
    id uuid PRIMARY KEY,
    organization_id uuid CONSTRAINT rate_card_organization_exists REFERENCES organization (id),
    tenant_id uuid CONSTRAINT rate_card_tenant_exists REFERENCES tenant (id),
    name text NOT NULL CONSTRAINT rate_card_name_unique UNIQUE,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    effective_from timestamptz NOT NULL,
    prices jsonb NOT NULL,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT rate_card_effective_unique UNIQUE NULLS NOT DISTINCT (organization_id, tenant_id, effective_from),
    CHECK (num_nonnulls(organization_id, tenant_id) <= 1)
);
CALL guard_operator('rate_card');
-- Whoever pays sees the prices that may rate it.
CREATE POLICY tenant_scope ON rate_card FOR SELECT USING (
    tenant_id = (SELECT app_tenant())
    OR tenant_id IS NULL AND (SELECT app_tenant()) IS NOT NULL AND (organization_id IS NULL OR organization_id IN (
        SELECT organization_id FROM tenant WHERE tenant.id = (SELECT app_tenant()))));
CREATE POLICY organization_scope ON rate_card FOR SELECT USING (
    organization_id = (SELECT app_organization())
    OR (SELECT app_organization()) IS NOT NULL AND organization_id IS NULL AND (tenant_id IS NULL OR tenant_id IN (
        SELECT id FROM tenant WHERE tenant.organization_id = (SELECT app_organization()))));
