-- Scopes: who may see which rows. A transaction names its scope first; with none, no row is visible.
--   app.scope         tenant | data_plane | organization | operator | lookup
--   app.tenant, app.data_plane, app.organization   the id that goes with it
--   app.lookup        before authentication: the key presented (e-mail, id, or SHA-256 in hex); only its own row shows
-- Policies call these functions inside a sub-select, so each is evaluated once a statement and indexes stay in use.
-- No policy of `tenant` may read a table guarded by guard_tenant: PostgreSQL refuses policies that refer to each other.

CREATE FUNCTION app_scope() RETURNS text LANGUAGE sql STABLE
    RETURN coalesce(current_setting('app.scope', true), '');
CREATE FUNCTION app_tenant() RETURNS uuid LANGUAGE sql STABLE
    RETURN CASE WHEN current_setting('app.scope', true) = 'tenant'
        THEN nullif(current_setting('app.tenant', true), '')::uuid END;
CREATE FUNCTION app_data_plane() RETURNS uuid LANGUAGE sql STABLE
    RETURN CASE WHEN current_setting('app.scope', true) = 'data_plane'
        THEN nullif(current_setting('app.data_plane', true), '')::uuid END;
CREATE FUNCTION app_organization() RETURNS uuid LANGUAGE sql STABLE
    RETURN CASE WHEN current_setting('app.scope', true) = 'organization'
        THEN nullif(current_setting('app.organization', true), '')::uuid END;
CREATE FUNCTION app_lookup() RETURNS text LANGUAGE sql STABLE
    RETURN CASE WHEN current_setting('app.scope', true) = 'lookup'
        THEN nullif(current_setting('app.lookup', true), '') END;
-- The look-up key as a hash; NULL when it is not one.
CREATE FUNCTION app_lookup_hash() RETURNS bytea LANGUAGE sql STABLE
    RETURN CASE WHEN app_lookup() ~ '^[0-9a-f]{64}$' THEN decode(app_lookup(), 'hex') END;
-- The look-up key as an id; NULL when it is not one.
CREATE FUNCTION app_lookup_id() RETURNS uuid LANGUAGE sql STABLE
    RETURN CASE WHEN app_lookup() ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN app_lookup()::uuid END;

-- The operator sees every row of every table.
CREATE PROCEDURE guard_operator(guarded regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format('CREATE POLICY operator_scope ON %s USING ((SELECT app_scope()) = ''operator'')', guarded);
END $$;

-- The standard set of a table with a tenant_id: its tenant reads and writes, its organization reads, the operator does both.
CREATE PROCEDURE guard_tenant(guarded regclass) LANGUAGE plpgsql AS $$
BEGIN
    CALL guard_operator(guarded);
    EXECUTE format('CREATE POLICY tenant_scope ON %s USING (tenant_id = (SELECT app_tenant()))', guarded);
    EXECUTE format('CREATE POLICY organization_scope ON %s FOR SELECT USING (tenant_id IN '
        '(SELECT id FROM tenant WHERE organization_id = (SELECT app_organization())))', guarded);
END $$;
