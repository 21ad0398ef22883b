-- Row-level security: a policy set per scope on every table. A test refuses a table without.

-- Tables with the standard set.
CALL guard_tenant('service_account');
CALL guard_tenant('environment');
CALL guard_tenant('data_plane');
CALL guard_tenant('data_plane_link');
CALL guard_tenant('enrollment_token');
CALL guard_tenant('broker_pool');
CALL guard_tenant('data_plane_grant');
CALL guard_tenant('cluster');
CALL guard_tenant('topic');
CALL guard_tenant('api_key');
CALL guard_tenant('object_status');
CALL guard_tenant('service_quota');

-- Directory tables, whose rows may stand above tenants.
CALL guard_operator('organization');
CREATE POLICY organization_scope ON organization FOR SELECT USING (id = (SELECT app_organization()));
CREATE POLICY tenant_scope ON organization FOR SELECT
    USING (id IN (SELECT organization_id FROM tenant WHERE tenant.id = (SELECT app_tenant())));

CALL guard_operator('tenant');
CREATE POLICY tenant_scope ON tenant FOR SELECT USING (id = (SELECT app_tenant()));
CREATE POLICY organization_scope ON tenant USING (organization_id = (SELECT app_organization()));

CALL guard_operator('member');
CREATE POLICY tenant_scope ON member USING (tenant_id = (SELECT app_tenant()));
CREATE POLICY organization_scope ON member USING (organization_id = (SELECT app_organization()));

CALL guard_operator('session');
CREATE POLICY tenant_scope ON session USING (tenant_id = (SELECT app_tenant()));
CREATE POLICY organization_scope ON session USING (organization_id = (SELECT app_organization()));

CALL guard_operator('role_binding');
CREATE POLICY tenant_scope ON role_binding USING (tenant_id = (SELECT app_tenant()));
CREATE POLICY organization_scope ON role_binding USING (organization_id = (SELECT app_organization()));

-- A tenant bumps the generation of the data planes that it owns or has a cluster on.
CALL guard_operator('data_plane_generation');
CREATE POLICY tenant_scope ON data_plane_generation USING (
    data_plane_id IN (SELECT id FROM data_plane WHERE tenant_id = (SELECT app_tenant()))
    OR data_plane_id IN (SELECT data_plane_id FROM cluster WHERE tenant_id = (SELECT app_tenant())));

-- Grants: the guest sees an offer made to it, and may answer it; while it is active it sees the pool it may use.
CREATE POLICY guest_scope ON data_plane_grant FOR SELECT USING (guest_tenant_id = (SELECT app_tenant()));
CREATE POLICY guest_answers ON data_plane_grant FOR UPDATE USING (guest_tenant_id = (SELECT app_tenant()));
CREATE POLICY guest_scope ON broker_pool FOR SELECT USING (id IN (
    SELECT broker_pool_id FROM data_plane_grant WHERE guest_tenant_id = (SELECT app_tenant()) AND phase = 'ACTIVE'));
CREATE POLICY guest_scope ON object_status FOR SELECT USING (object_id IN (
    SELECT broker_pool_id FROM data_plane_grant WHERE guest_tenant_id = (SELECT app_tenant()) AND phase = 'ACTIVE'));

-- A data plane's agent: the rows that its data plane serves, of several tenants.
CREATE POLICY data_plane_scope ON data_plane FOR SELECT USING (id = (SELECT app_data_plane()));
CREATE POLICY data_plane_scope ON data_plane_generation FOR SELECT USING (data_plane_id = (SELECT app_data_plane()));
CREATE POLICY data_plane_scope ON data_plane_link USING (data_plane_id = (SELECT app_data_plane()));
CREATE POLICY data_plane_scope ON broker_pool USING (data_plane_id = (SELECT app_data_plane()));
CREATE POLICY data_plane_scope ON cluster USING (data_plane_id = (SELECT app_data_plane()));
CREATE POLICY data_plane_scope ON topic USING (data_plane_id = (SELECT app_data_plane()));
CREATE POLICY data_plane_scope ON api_key FOR SELECT USING (data_plane_id = (SELECT app_data_plane()));
CREATE POLICY data_plane_scope ON object_status USING (data_plane_id = (SELECT app_data_plane()));
CREATE POLICY data_plane_scope ON role_binding FOR SELECT USING (
    tenant_id IN (SELECT tenant_id FROM cluster WHERE data_plane_id = (SELECT app_data_plane())));
CREATE POLICY data_plane_scope ON environment FOR SELECT USING (
    tenant_id IN (SELECT tenant_id FROM cluster WHERE data_plane_id = (SELECT app_data_plane())));

-- Before authentication: a row shows itself only to who presents its key.
CREATE POLICY lookup_scope ON member USING (
    email = (SELECT app_lookup())
    OR id IN (SELECT member_id FROM session WHERE token_sha256 = (SELECT app_lookup_hash())));
CREATE POLICY lookup_scope ON session USING (token_sha256 = (SELECT app_lookup_hash()));
CREATE POLICY lookup_sign_in ON session FOR INSERT WITH CHECK (email = (SELECT app_lookup()));
CREATE POLICY lookup_scope ON role_binding FOR SELECT USING (
    (SELECT app_lookup()) IS NOT NULL AND member_id IN (SELECT id FROM member));
CREATE POLICY lookup_scope ON api_key FOR SELECT USING (id = (SELECT app_lookup_id()));
CREATE POLICY lookup_scope ON enrollment_token USING (token_sha256 = (SELECT app_lookup_hash()));

-- The record. Audit rows and events are added by every scope that writes, and read by their own.
CALL guard_operator('audit_event');
CREATE POLICY tenant_scope ON audit_event FOR SELECT USING (tenant_id = (SELECT app_tenant()));
CREATE POLICY organization_scope ON audit_event FOR SELECT USING (organization_id = (SELECT app_organization()));
CREATE POLICY tenant_writes ON audit_event FOR INSERT WITH CHECK (tenant_id = (SELECT app_tenant()));
CREATE POLICY organization_writes ON audit_event FOR INSERT WITH CHECK (organization_id = (SELECT app_organization()));

CALL guard_operator('event');
CREATE POLICY tenant_scope ON event FOR SELECT USING (tenant_id = (SELECT app_tenant()));
CREATE POLICY organization_scope ON event FOR SELECT USING (organization_id = (SELECT app_organization()));
CREATE POLICY tenant_writes ON event FOR INSERT WITH CHECK (tenant_id = (SELECT app_tenant()));
CREATE POLICY organization_writes ON event FOR INSERT WITH CHECK (organization_id = (SELECT app_organization()));
-- Reports change the status of several tenants' objects on one data plane.
CREATE POLICY data_plane_writes ON event FOR INSERT WITH CHECK (
    tenant_id IN (SELECT tenant_id FROM cluster WHERE data_plane_id = (SELECT app_data_plane()))
    OR tenant_id IN (SELECT tenant_id FROM data_plane WHERE data_plane.id = (SELECT app_data_plane())));

CALL guard_operator('event_head');
CREATE POLICY readers ON event_head FOR SELECT USING ((SELECT app_scope()) IN ('tenant', 'organization'));

CALL guard_operator('idempotency');
CREATE POLICY tenant_scope ON idempotency USING (tenant_id = (SELECT app_tenant()));
CREATE POLICY organization_scope ON idempotency USING (tenant_id IS NULL AND organization_id = (SELECT app_organization()));

CALL guard_operator('lease');
