-- Lint rules: what a tenant asks of its contracts, in one environment or in all; and what those in AUDIT found at a registration.
CREATE TABLE contract_lint_rule (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL CONSTRAINT contract_lint_rule_tenant_exists REFERENCES tenant (id),
    environment_id uuid,
    display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 100),
    description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 1000),
    expression text NOT NULL CHECK (octet_length(expression) BETWEEN 1 AND 16384),
    message text NOT NULL CHECK (char_length(message) BETWEEN 1 AND 500),
    mode text NOT NULL CHECK (mode IN ('ENFORCE', 'AUDIT')),
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    CONSTRAINT contract_lint_rule_name_unique UNIQUE (tenant_id, display_name),
    CONSTRAINT contract_lint_rule_environment_exists FOREIGN KEY (tenant_id, environment_id)
        REFERENCES environment (tenant_id, id)
);
CREATE INDEX contract_lint_rule_environment ON contract_lint_rule (environment_id);

-- What was found stays as it was said, whatever becomes of the rule.
CREATE TABLE contract_finding (
    tenant_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    version integer NOT NULL,
    ordinal integer NOT NULL,
    rule_id uuid NOT NULL,
    rule text NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (contract_id, version, ordinal),
    FOREIGN KEY (tenant_id, contract_id, version) REFERENCES contract_version (tenant_id, contract_id, version) ON DELETE CASCADE
);

CALL guard_tenant('contract_lint_rule');
CALL guard_tenant('contract_finding');
