-- Data planes, the broker pools on them, the logical clusters on those, topics and keys.
-- `desired_n`: the data plane's generation that first carries the row as it is; READY means that this was acknowledged.

CREATE TABLE data_plane (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL CONSTRAINT data_plane_tenant_exists REFERENCES tenant (id),
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    revoked_at timestamptz,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    CONSTRAINT data_plane_name_unique UNIQUE (tenant_id, name)
);

-- The number of the wish. A table of its own: tenants with clusters there bump it without seeing the data plane.
CREATE TABLE data_plane_generation (
    data_plane_id uuid PRIMARY KEY REFERENCES data_plane (id) ON DELETE CASCADE,
    epoch bigint NOT NULL DEFAULT 1,
    n bigint NOT NULL DEFAULT 0
);

-- What the agents' door knows of the agent. Written only by link/.
CREATE TABLE data_plane_link (
    data_plane_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    enrolled_at timestamptz NOT NULL,
    public_key_sha256 bytea NOT NULL,
    certificate_not_after timestamptz NOT NULL,
    instance bigint,
    last_seen_at timestamptz,
    agent_version text NOT NULL DEFAULT '',
    kafka_version text NOT NULL DEFAULT '',
    accepted_epoch bigint NOT NULL DEFAULT 0,
    accepted_n bigint NOT NULL DEFAULT 0,
    applied_epoch bigint NOT NULL DEFAULT 0,
    applied_n bigint NOT NULL DEFAULT 0,
    gateways_live integer NOT NULL DEFAULT 0,
    usage_windows_waiting bigint NOT NULL DEFAULT 0,
    FOREIGN KEY (tenant_id, data_plane_id) REFERENCES data_plane (tenant_id, id) ON DELETE CASCADE
);

-- One-time enrolment tokens: 30 minutes, one use, bound to the data plane.
CREATE TABLE enrollment_token (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    token_sha256 bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    FOREIGN KEY (tenant_id, data_plane_id) REFERENCES data_plane (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX enrollment_token_data_plane ON enrollment_token (data_plane_id);

CREATE TABLE broker_pool (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    name text NOT NULL,
    brokers integer NOT NULL CHECK (brokers IN (1, 3)),
    restart_nonce bigint NOT NULL DEFAULT 0,
    desired_n bigint NOT NULL DEFAULT 0,
    deleted_at timestamptz,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    UNIQUE (data_plane_id, id),
    CONSTRAINT broker_pool_name_unique UNIQUE (data_plane_id, name),
    CONSTRAINT broker_pool_data_plane_exists FOREIGN KEY (tenant_id, data_plane_id) REFERENCES data_plane (tenant_id, id)
);

-- One tenant lends a place on its brokers to another. One of the two tables that lawfully carry two tenants.
CREATE TABLE data_plane_grant (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    broker_pool_id uuid NOT NULL,
    guest_tenant_id uuid NOT NULL CONSTRAINT data_plane_grant_guest_exists REFERENCES tenant (id),
    clusters_max integer NOT NULL CHECK (clusters_max >= 0),
    topics_max integer NOT NULL CHECK (topics_max >= 0),
    partitions_max integer NOT NULL CHECK (partitions_max >= 0),
    phase text NOT NULL DEFAULT 'OFFERED' CHECK (phase IN ('OFFERED', 'ACTIVE', 'DECLINED', 'REVOKED')),
    decided_at timestamptz,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT data_plane_grant_pool_exists FOREIGN KEY (tenant_id, broker_pool_id)
        REFERENCES broker_pool (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT data_plane_grant_to_another CHECK (guest_tenant_id <> tenant_id)
);
CREATE UNIQUE INDEX data_plane_grant_unique ON data_plane_grant (broker_pool_id, guest_tenant_id)
    WHERE phase IN ('OFFERED', 'ACTIVE');
CREATE INDEX data_plane_grant_guest ON data_plane_grant (guest_tenant_id, id);

CREATE TABLE cluster (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    environment_id uuid NOT NULL,
    broker_pool_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    name text NOT NULL,
    kafka_cluster_id text NOT NULL UNIQUE,
    desired_n bigint NOT NULL DEFAULT 0,
    deleted_at timestamptz,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, data_plane_id, id),
    CONSTRAINT cluster_name_unique UNIQUE (environment_id, name),
    CONSTRAINT cluster_environment_exists FOREIGN KEY (tenant_id, environment_id) REFERENCES environment (tenant_id, id),
    CONSTRAINT cluster_pool_exists FOREIGN KEY (data_plane_id, broker_pool_id) REFERENCES broker_pool (data_plane_id, id)
);
CREATE INDEX cluster_data_plane ON cluster (data_plane_id, tenant_id);
CREATE INDEX cluster_pool ON cluster (broker_pool_id);

CREATE TABLE topic (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    name text NOT NULL,
    partitions integer NOT NULL CHECK (partitions > 0),
    retention_ms bigint NOT NULL,
    retention_bytes bigint NOT NULL,
    cleanup_policy text NOT NULL CHECK (cleanup_policy IN ('DELETE', 'COMPACT', 'COMPACT_DELETE')),
    max_message_bytes integer NOT NULL,
    configs jsonb NOT NULL DEFAULT '{}',
    desired_n bigint NOT NULL DEFAULT 0,
    deleted_at timestamptz,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    CONSTRAINT topic_name_unique UNIQUE (cluster_id, name),
    CONSTRAINT topic_cluster_exists FOREIGN KEY (tenant_id, data_plane_id, cluster_id)
        REFERENCES cluster (tenant_id, data_plane_id, id)
);
CREATE INDEX topic_tenant ON topic (tenant_id, id);
CREATE INDEX topic_data_plane ON topic (data_plane_id, id);

-- A credential of a service account. Verifiers only: SHA-256 and SCRAM (RFC 5802) of a secret that was shown once.
-- With a cluster it opens that cluster; without, only this API.
CREATE TABLE api_key (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    service_account_id uuid NOT NULL,
    cluster_id uuid,
    data_plane_id uuid,
    description text NOT NULL DEFAULT '',
    secret_sha256 bytea NOT NULL,
    scram_iterations integer NOT NULL,
    scram_256_salt bytea NOT NULL,
    scram_256_stored_key bytea NOT NULL,
    scram_256_server_key bytea NOT NULL,
    scram_512_salt bytea NOT NULL,
    scram_512_stored_key bytea NOT NULL,
    scram_512_server_key bytea NOT NULL,
    expires_at timestamptz,
    desired_n bigint NOT NULL DEFAULT 0,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    CHECK ((cluster_id IS NULL) = (data_plane_id IS NULL)),
    CONSTRAINT api_key_service_account_exists FOREIGN KEY (tenant_id, service_account_id)
        REFERENCES service_account (tenant_id, id),
    CONSTRAINT api_key_cluster_exists FOREIGN KEY (tenant_id, data_plane_id, cluster_id)
        REFERENCES cluster (tenant_id, data_plane_id, id)
);
CREATE INDEX api_key_service_account ON api_key (service_account_id);
CREATE INDEX api_key_data_plane ON api_key (data_plane_id, id);
CREATE INDEX api_key_tenant ON api_key (tenant_id, id);

-- What agents report about objects. Written only by link/report; a row may name an object that is gone.
CREATE TABLE object_status (
    object_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    data_plane_id uuid NOT NULL REFERENCES data_plane (id) ON DELETE CASCADE,
    phase text NOT NULL,
    reason text NOT NULL DEFAULT '',
    observed_epoch bigint NOT NULL,
    observed_n bigint NOT NULL,
    policy_accepted boolean NOT NULL DEFAULT true,
    observed_partitions integer NOT NULL DEFAULT 0,
    brokers_ready integer NOT NULL DEFAULT 0,
    gateways_acknowledged integer NOT NULL DEFAULT 0,
    drifted boolean NOT NULL DEFAULT false,
    bootstrap_host text NOT NULL DEFAULT '',
    bootstrap_port integer NOT NULL DEFAULT 0,
    reported_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX object_status_tenant ON object_status (tenant_id);
CREATE INDEX object_status_data_plane ON object_status (data_plane_id);
