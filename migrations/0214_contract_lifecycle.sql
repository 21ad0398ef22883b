-- How far a version says that it is in its life, in capitals; nothing where it says nothing, or calls that sensitive.
CREATE FUNCTION contract_lifecycle(metadata jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN coalesce(metadata->'sensitive' ? 'lifecycle', false) THEN NULL
        ELSE upper(metadata->'properties'->>'lifecycle') END;

-- Is a contract retired, as its newest standing version says?
CREATE FUNCTION contract_retired(tenant uuid, contract uuid) RETURNS boolean
    LANGUAGE sql STABLE COST 1000
    RETURN coalesce((SELECT contract_lifecycle(s.metadata) = 'RETIRED'
        FROM contract_version v
        JOIN contract_schema s ON s.tenant_id = v.tenant_id AND s.id = v.contract_schema_id
        WHERE v.tenant_id = contract_retired.tenant AND v.contract_id = contract_retired.contract AND v.deleted_at IS NULL
        ORDER BY v.version DESC LIMIT 1), false);
