-- Data contracts: subjects and their versions, the schemas under their ids, and what is configured for them.
-- `context` is the environment, or nothing but zeros for the default context: a column that a unique constraint can hold.

-- One sequence for the installation: no lock, gaps allowed. Ids below it belong to imports, each tenant's own.
CREATE SEQUENCE contract_schema_id AS integer MINVALUE 100000000;

CREATE TABLE contract (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL CONSTRAINT contract_tenant_exists REFERENCES tenant (id),
    environment_id uuid,
    context uuid NOT NULL GENERATED ALWAYS AS (coalesce(environment_id, '00000000-0000-0000-0000-000000000000'::uuid)) STORED,
    subject text NOT NULL CHECK (octet_length(subject) BETWEEN 1 AND 512),
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, context, subject),
    CONSTRAINT contract_environment_exists FOREIGN KEY (tenant_id, environment_id) REFERENCES environment (tenant_id, id)
);
CREATE INDEX contract_environment ON contract (environment_id);

-- A schema under its id: text, references, metadata and rules together; another of these is another schema.
CREATE TABLE contract_schema (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL CONSTRAINT contract_schema_tenant_exists REFERENCES tenant (id),
    environment_id uuid,
    context uuid NOT NULL GENERATED ALWAYS AS (coalesce(environment_id, '00000000-0000-0000-0000-000000000000'::uuid)) STORED,
    schema_id integer NOT NULL CHECK (schema_id > 0),
    guid uuid NOT NULL,
    content_sha256 bytea NOT NULL,
    text_sha256 bytea NOT NULL,
    format text NOT NULL CHECK (format IN ('AVRO', 'JSON', 'PROTOBUF')),
    text text NOT NULL,
    schema_references jsonb NOT NULL,
    metadata jsonb,
    rule_set jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    CONSTRAINT contract_schema_id_unique UNIQUE (tenant_id, schema_id, context),
    UNIQUE (tenant_id, context, content_sha256),
    CONSTRAINT contract_schema_environment_exists FOREIGN KEY (tenant_id, environment_id) REFERENCES environment (tenant_id, id)
);
CREATE INDEX contract_schema_guid ON contract_schema (tenant_id, guid);
CREATE INDEX contract_schema_environment ON contract_schema (environment_id);

CREATE TABLE contract_version (
    tenant_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    contract_schema_id uuid NOT NULL,
    deleted_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (contract_id, version),
    UNIQUE (tenant_id, contract_id, version),
    FOREIGN KEY (tenant_id, contract_id) REFERENCES contract (tenant_id, id),
    FOREIGN KEY (tenant_id, contract_schema_id) REFERENCES contract_schema (tenant_id, id)
);
CREATE INDEX contract_version_schema ON contract_version (contract_schema_id);

-- Which version needs which. What is named may be gone once the version that names it is deleted, so it is no foreign key.
CREATE TABLE contract_reference (
    tenant_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    version integer NOT NULL,
    ordinal integer NOT NULL,
    to_contract_id uuid NOT NULL,
    to_version integer NOT NULL,
    PRIMARY KEY (contract_id, version, ordinal),
    FOREIGN KEY (tenant_id, contract_id, version) REFERENCES contract_version (tenant_id, contract_id, version) ON DELETE CASCADE
);
CREATE INDEX contract_reference_to ON contract_reference (to_contract_id, to_version);

-- What holds for a subject, or for a whole context (the empty subject). A subject may be configured before it has versions.
CREATE TABLE contract_config (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    environment_id uuid,
    context uuid NOT NULL GENERATED ALWAYS AS (coalesce(environment_id, '00000000-0000-0000-0000-000000000000'::uuid)) STORED,
    subject text NOT NULL CHECK (octet_length(subject) <= 512),
    config jsonb NOT NULL DEFAULT '{}',
    mode text CHECK (mode IN ('READWRITE', 'READONLY', 'READONLY_OVERRIDE', 'IMPORT')),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, context, subject),
    CONSTRAINT contract_config_environment_exists FOREIGN KEY (tenant_id, environment_id)
        REFERENCES environment (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX contract_config_environment ON contract_config (environment_id);

CALL guard_tenant('contract');
CALL guard_tenant('contract_schema');
CALL guard_tenant('contract_version');
CALL guard_tenant('contract_reference');
CALL guard_tenant('contract_config');
