-- What gateways judged by topics' contracts, by minutes, as agents report it: a short history for people, not for bills.
-- Written only by link/judged; rows older than an hour are forgotten.
CREATE TABLE contract_judged (
    topic_id uuid NOT NULL REFERENCES topic (id) ON DELETE CASCADE,
    tenant_id uuid NOT NULL,
    minute timestamptz NOT NULL,
    records bigint NOT NULL CHECK (records >= 0),
    violating bigint NOT NULL CHECK (violating >= 0),
    last_record_at timestamptz,
    PRIMARY KEY (topic_id, minute)
);
CREATE INDEX contract_judged_tenant ON contract_judged (tenant_id, minute);

-- Which rule was broken, by whom. A schema of nothing but zeros: the record named none that is known; rule 0: none.
CREATE TABLE contract_violation (
    topic_id uuid NOT NULL REFERENCES topic (id) ON DELETE CASCADE,
    tenant_id uuid NOT NULL,
    minute timestamptz NOT NULL,
    principal_id uuid NOT NULL,
    part text NOT NULL CHECK (part IN ('KEY', 'VALUE')),
    contract_schema_id uuid NOT NULL,
    kind text NOT NULL,
    rule integer NOT NULL CHECK (rule >= 0),
    enforcement text NOT NULL CHECK (enforcement IN ('SHADOW', 'MARK', 'DLQ', 'REJECT')),
    records bigint NOT NULL CHECK (records > 0),
    PRIMARY KEY (topic_id, minute, principal_id, part, contract_schema_id, kind, rule, enforcement)
);
CREATE INDEX contract_violation_tenant ON contract_violation (tenant_id, minute);

CALL guard_tenant('contract_judged');
CALL guard_tenant('contract_violation');
CREATE POLICY data_plane_scope ON contract_judged USING ((topic_id, tenant_id) IN (
    SELECT id, tenant_id FROM topic WHERE data_plane_id = (SELECT app_data_plane())));
CREATE POLICY data_plane_scope ON contract_violation USING ((topic_id, tenant_id) IN (
    SELECT id, tenant_id FROM topic WHERE data_plane_id = (SELECT app_data_plane())));

-- Alerts on it, for a cluster or one of its topics.
ALTER TABLE alert_rule
    DROP CONSTRAINT alert_rule_kind_check,
    ADD CONSTRAINT alert_rule_kind_check CHECK (kind IN ('THROTTLING', 'STORAGE', 'LAG', 'VIOLATIONS')),
    DROP CONSTRAINT alert_rule_group_of_lag,
    ADD CONSTRAINT alert_rule_group_of_lag CHECK ((kind = 'LAG') = (group_id IS NOT NULL)
        AND (kind IN ('LAG', 'VIOLATIONS') OR topic_name IS NULL));
