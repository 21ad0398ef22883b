-- How many versions, and bytes of schemas and configurations, a tenant has: counted on as they come and go, so that a registration
-- need not count all of them. The triggers run last in a transaction, at its commit, and a transaction writes one row only, which is
-- its connection's: registrations of one tenant seldom wait for each other, and never for longer than a commit takes. A tenant has
-- the sum of its rows; one of them alone says nothing, and may be below zero.
CREATE TABLE contract_count (
    tenant_id uuid NOT NULL CONSTRAINT contract_count_tenant_exists REFERENCES tenant (id) ON DELETE CASCADE,
    slot integer NOT NULL,
    versions bigint NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (tenant_id, slot)
) WITH (fillfactor = 50);
CALL guard_tenant('contract_count');

CREATE FUNCTION contract_schema_bytes(it contract_schema) RETURNS bigint LANGUAGE sql STABLE
    RETURN octet_length(it.text) + octet_length(it.schema_references::text)
        + coalesce(octet_length(it.metadata::text), 0) + coalesce(octet_length(it.rule_set::text), 0);
CREATE FUNCTION contract_config_bytes(it contract_config) RETURNS bigint LANGUAGE sql STABLE
    RETURN octet_length(it.config::text);

CREATE FUNCTION contract_count_add(tenant uuid, more_versions bigint, more_bytes bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    own CONSTANT integer := pg_backend_pid() % 16;
BEGIN
    UPDATE contract_count c SET versions = c.versions + more_versions, bytes = c.bytes + more_bytes
        WHERE c.tenant_id = tenant AND c.slot = own;
    IF NOT FOUND THEN
        -- What ends with its tenant is not counted any more.
        INSERT INTO contract_count AS c (tenant_id, slot, versions, bytes)
            SELECT t.id, own, more_versions, more_bytes FROM tenant t WHERE t.id = tenant
            ON CONFLICT (tenant_id, slot)
            DO UPDATE SET versions = c.versions + more_versions, bytes = c.bytes + more_bytes;
    END IF;
END $$;

CREATE FUNCTION count_contract_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM contract_count_add(NEW.tenant_id, 1, 0);
    ELSE
        PERFORM contract_count_add(OLD.tenant_id, -1, 0);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION count_contract_schema() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM contract_count_add(NEW.tenant_id, 0, contract_schema_bytes(NEW));
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM contract_count_add(OLD.tenant_id, 0, -contract_schema_bytes(OLD));
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION count_contract_config() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM contract_count_add(NEW.tenant_id, 0, contract_config_bytes(NEW));
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM contract_count_add(OLD.tenant_id, 0, -contract_config_bytes(OLD));
    END IF;
    RETURN NULL;
END $$;

-- From here on registrations wait until what is there has been counted once; reading goes on.
CREATE CONSTRAINT TRIGGER contract_version_counted AFTER INSERT OR DELETE ON contract_version
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_contract_version();
CREATE CONSTRAINT TRIGGER contract_schema_counted
    AFTER INSERT OR DELETE OR UPDATE OF text, schema_references, metadata, rule_set ON contract_schema
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_contract_schema();
CREATE CONSTRAINT TRIGGER contract_config_counted AFTER INSERT OR DELETE OR UPDATE OF config ON contract_config
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_contract_config();

SELECT set_config('app.scope', 'operator', true);
INSERT INTO contract_count (tenant_id, slot, versions, bytes)
    SELECT t.id, 0, (SELECT count(*) FROM contract_version v WHERE v.tenant_id = t.id),
        (SELECT coalesce(sum(contract_schema_bytes(s)), 0) FROM contract_schema s WHERE s.tenant_id = t.id)::bigint
        + (SELECT coalesce(sum(contract_config_bytes(c)), 0) FROM contract_config c WHERE c.tenant_id = t.id)::bigint
    FROM tenant t WHERE EXISTS (SELECT FROM contract k WHERE k.tenant_id = t.id)
        OR EXISTS (SELECT FROM contract_config c WHERE c.tenant_id = t.id);
