-- Control planes keep for some seconds in memory who holds a key, where its cluster is, and schemas by id. The database itself tells
-- all of them, with the commit, when one of these facts ends: no path of the programs can leave it out. The messages are empty: who
-- hears one forgets everything of its sort. NOTIFY makes commits wait for each other, so it stands only where changes are rare.
CREATE FUNCTION tell_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_ARGV[0], '');
    RETURN NULL;
END $$;

CREATE TRIGGER api_key_forget
    AFTER DELETE OR UPDATE OF tenant_id, service_account_id, cluster_id, data_plane_id, secret_sha256, expires_at ON api_key
    FOR EACH ROW EXECUTE FUNCTION tell_forget('weir_rights');
CREATE TRIGGER role_binding_forget
    AFTER INSERT OR DELETE OR UPDATE OF tenant_id, member_id, service_account_id, role, resource ON role_binding
    FOR EACH ROW EXECUTE FUNCTION tell_forget('weir_rights');
CREATE TRIGGER service_account_forget AFTER DELETE OR UPDATE OF tenant_id ON service_account
    FOR EACH ROW EXECUTE FUNCTION tell_forget('weir_rights');
CREATE TRIGGER tenant_forget AFTER DELETE OR UPDATE OF organization_id ON tenant
    FOR EACH ROW EXECUTE FUNCTION tell_forget('weir_rights');
CREATE TRIGGER cluster_forget AFTER DELETE OR UPDATE OF tenant_id, environment_id ON cluster
    FOR EACH ROW EXECUTE FUNCTION tell_forget('weir_rights');
-- The name of a schema's context is a part of how it is shown.
CREATE TRIGGER environment_forget AFTER DELETE OR UPDATE OF tenant_id, name ON environment
    FOR EACH ROW EXECUTE FUNCTION tell_forget('weir_rights');
CREATE TRIGGER environment_schemas_forget AFTER DELETE OR UPDATE OF tenant_id, name ON environment
    FOR EACH ROW EXECUTE FUNCTION tell_forget('weir_schemas');
CREATE TRIGGER contract_schema_forget AFTER DELETE OR UPDATE ON contract_schema
    FOR EACH ROW EXECUTE FUNCTION tell_forget('weir_schemas');
