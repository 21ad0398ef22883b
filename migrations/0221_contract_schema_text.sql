-- Every registration and every look-up by text asks whether a subject has a schema of the same text: by an index, and not by
-- reading all schemas of the tenant. A text that many subjects have leads to the version of the one that is asked for.
CREATE INDEX contract_schema_text ON contract_schema (tenant_id, text_sha256);
DROP INDEX contract_version_schema;
CREATE INDEX contract_version_schema ON contract_version (contract_schema_id, contract_id);
