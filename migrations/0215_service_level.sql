-- Promises that a topic's newest version makes of its freshness, completeness and availability, and how they are kept. Written
-- only by service_level/evaluate. A minute is good, bad or unknown; unknown ones are counted nowhere, they are what is left.
CREATE TABLE service_level (
    topic_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL CHECK (name IN ('FRESHNESS', 'COMPLETENESS', 'AVAILABILITY')),
    -- The first minute that was looked at, the last one, and the last one that was not unknown.
    since timestamptz NOT NULL,
    minute timestamptz NOT NULL,
    known_at timestamptz,
    state text NOT NULL CHECK (state IN ('OK', 'BREACHED', 'NO_DATA')),
    reason text,
    -- Seconds of FRESHNESS, percent of the others.
    value double precision,
    -- The newest record that a gateway accepted, of FRESHNESS; what it is made of is forgotten sooner.
    last_record_at timestamptz,
    -- Sums of service_level_hour.
    good bigint NOT NULL CHECK (good >= 0),
    bad bigint NOT NULL CHECK (bad >= 0),
    remaining_ratio double precision NOT NULL,
    -- The event that watchers heard last, and whether they heard that the budget is spent.
    told text CHECK (told IN ('breached', 'restored', 'no_data')),
    spent_told boolean NOT NULL,
    PRIMARY KEY (topic_id, name),
    UNIQUE (tenant_id, topic_id, name),
    CONSTRAINT service_level_reason_of_no_data CHECK ((state = 'NO_DATA') = (reason IS NOT NULL)),
    FOREIGN KEY (tenant_id, topic_id) REFERENCES topic (tenant_id, id) ON DELETE CASCADE
);

-- The minutes of an hour; kept for thirty days.
CREATE TABLE service_level_hour (
    topic_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    hour timestamptz NOT NULL,
    good smallint NOT NULL CHECK (good >= 0),
    bad smallint NOT NULL CHECK (bad >= 0),
    PRIMARY KEY (topic_id, name, hour),
    FOREIGN KEY (tenant_id, topic_id, name) REFERENCES service_level (tenant_id, topic_id, name) ON DELETE CASCADE
);
CREATE INDEX service_level_hour_tenant ON service_level_hour (tenant_id, hour);

CALL guard_tenant('service_level');
CALL guard_tenant('service_level_hour');

-- Only schemas with a promise are looked at every minute, and only windows that have come since.
CREATE INDEX contract_schema_promises ON contract_schema (tenant_id)
    WHERE metadata->'properties' ?| '{service_level.freshness,service_level.completeness,service_level.availability}'::text[];
CREATE INDEX usage_window_received ON usage_window (received_at);
