-- What happened: audit, events, idempotency keys, and the leases that let several control planes share one database.

CREATE TABLE audit_event (
    id uuid PRIMARY KEY,
    organization_id uuid,
    tenant_id uuid,
    principal text NOT NULL,
    action text NOT NULL,
    kind text NOT NULL,
    object_id uuid NOT NULL,
    resource_name text NOT NULL,
    before jsonb,
    after jsonb,
    request_id text NOT NULL,
    occurred_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_event_tenant ON audit_event (tenant_id, id);
CREATE INDEX audit_event_organization ON audit_event (organization_id, id);

-- One row for each change; `position` is given after commit by the one that holds the sequencer's lease, so a watcher skips none.
CREATE TABLE event (
    id uuid PRIMARY KEY,
    position bigint UNIQUE,
    organization_id uuid,
    tenant_id uuid,
    kind text NOT NULL,
    object_id uuid NOT NULL,
    action text NOT NULL,
    generation bigint NOT NULL,
    occurred_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX event_unnumbered ON event (id) WHERE position IS NULL;
CREATE INDEX event_tenant ON event (tenant_id, position);

CREATE TABLE event_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL DEFAULT 0,
    oldest bigint NOT NULL DEFAULT 1
);
INSERT INTO event_head DEFAULT VALUES;

-- A first answer, kept for 24 hours. The key itself is not kept, only its hash; the answer is sealed under a key derived from it.
CREATE TABLE idempotency (
    principal_id uuid NOT NULL,
    key_sha256 bytea NOT NULL,
    tenant_id uuid,
    organization_id uuid,
    request_sha256 bytea NOT NULL,
    status integer NOT NULL,
    answer bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal_id, key_sha256)
);
CREATE INDEX idempotency_created ON idempotency (created_at);

-- Who does a piece of background work now. Taken over when it expires.
CREATE TABLE lease (
    name text PRIMARY KEY,
    holder uuid NOT NULL,
    expires_at timestamptz NOT NULL
);

-- Limits that differ from the defaults in the code.
CREATE TABLE service_quota (
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name text NOT NULL,
    value bigint NOT NULL CHECK (value >= 0),
    PRIMARY KEY (tenant_id, name)
);
