-- Alerts on how far a consumer group is behind: which group, what agents report of it, and rules for which there is no data.
ALTER TABLE alert_rule
    ADD COLUMN group_id text CHECK (length(group_id) BETWEEN 1 AND 249),
    ADD COLUMN topic_name text CHECK (length(topic_name) BETWEEN 1 AND 249),
    DROP CONSTRAINT alert_rule_kind_check,
    ADD CONSTRAINT alert_rule_kind_check CHECK (kind IN ('THROTTLING', 'STORAGE', 'LAG')),
    ADD CONSTRAINT alert_rule_group_of_lag CHECK ((kind = 'LAG') = (group_id IS NOT NULL) AND (kind = 'LAG' OR topic_name IS NULL));
CREATE POLICY data_plane_scope ON alert_rule FOR SELECT USING (
    cluster_id IN (SELECT id FROM cluster WHERE data_plane_id = (SELECT app_data_plane())));

-- `told`: the event that watchers heard last, so that each change is told once.
ALTER TABLE alert_state
    ALTER COLUMN value DROP NOT NULL,
    ADD COLUMN reason text CHECK (reason IN ('NO_REPORT', 'NO_COMMITS', 'WITHHELD', 'UNREACHABLE', 'TOO_MANY')),
    ADD COLUMN told text CHECK (told IN ('firing', 'resolved', 'no_data')),
    DROP CONSTRAINT alert_state_state_check,
    ADD CONSTRAINT alert_state_state_check CHECK (state IN ('OK', 'PENDING', 'FIRING', 'NO_DATA')),
    ADD CONSTRAINT alert_state_value_or_reason CHECK ((state = 'NO_DATA') = (value IS NULL) AND (state = 'NO_DATA') = (reason IS NOT NULL));

-- The newest that an agent said of the group of a rule. Written only by link/lag.
CREATE TABLE alert_lag (
    rule_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('MEASURED', 'NO_COMMITS', 'WITHHELD', 'UNREACHABLE', 'TOO_MANY')),
    lag_records bigint NOT NULL CHECK (lag_records >= 0),
    reported_at timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, rule_id) REFERENCES alert_rule (tenant_id, id) ON DELETE CASCADE
);
CALL guard_tenant('alert_lag');
CREATE POLICY data_plane_scope ON alert_lag USING ((rule_id, tenant_id) IN (
    SELECT id, tenant_id FROM alert_rule WHERE cluster_id IN (
        SELECT id FROM cluster WHERE data_plane_id = (SELECT app_data_plane()))));
