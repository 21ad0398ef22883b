-- Alerts: a tenant's own thresholds, and whether they are exceeded. The state is written only by alert_rule/evaluate.
CREATE TABLE alert_rule (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('THROTTLING', 'STORAGE')),
    threshold bigint NOT NULL CHECK (threshold > 0),
    for_seconds integer NOT NULL CHECK (for_seconds >= 0),
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    CONSTRAINT alert_rule_name_unique UNIQUE (tenant_id, cluster_id, name),
    CONSTRAINT alert_rule_cluster_exists FOREIGN KEY (tenant_id, cluster_id) REFERENCES cluster (tenant_id, id)
);
CREATE INDEX alert_rule_cluster ON alert_rule (cluster_id);

CREATE TABLE alert_state (
    rule_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('OK', 'PENDING', 'FIRING')),
    value bigint NOT NULL,
    since timestamptz NOT NULL,
    evaluated_at timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, rule_id) REFERENCES alert_rule (tenant_id, id) ON DELETE CASCADE
);
CALL guard_tenant('alert_rule');
CALL guard_tenant('alert_state');
