-- A cluster link copies topics of one cluster into another of the same tenant's, which may be on another data plane.

-- By which keys a data plane's agent is known to other data planes: the one that it reads with, and the one that its gateways show. Public
-- keys, of which the fingerprints are kept; written by the agents' door alone.
CREATE TABLE data_plane_key (
    data_plane_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    link_key_sha256 bytea CHECK (octet_length(link_key_sha256) = 32),
    gateway_key_sha256 bytea CHECK (octet_length(gateway_key_sha256) = 32),
    told_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (data_plane_id) REFERENCES data_plane (id) ON DELETE CASCADE
);
CALL guard_tenant('data_plane_key');

CREATE TABLE cluster_link (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    source_cluster_id uuid NOT NULL,
    source_data_plane_id uuid NOT NULL,
    target_cluster_id uuid NOT NULL,
    target_data_plane_id uuid NOT NULL,
    -- As whom the target reads.
    service_account_id uuid NOT NULL,
    start_at text NOT NULL CHECK (start_at IN ('EARLIEST', 'LATEST')),
    desired_state text NOT NULL CHECK (desired_state IN ('RUNNING', 'PAUSED')),
    -- The generations of the two data planes that carry the row as it is.
    source_desired_n bigint NOT NULL DEFAULT 0,
    target_desired_n bigint NOT NULL DEFAULT 0,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    CONSTRAINT cluster_link_name_unique UNIQUE (tenant_id, name),
    CONSTRAINT cluster_link_of_two CHECK (source_cluster_id <> target_cluster_id),
    CONSTRAINT cluster_link_source_exists FOREIGN KEY (tenant_id, source_data_plane_id, source_cluster_id)
        REFERENCES cluster (tenant_id, data_plane_id, id),
    CONSTRAINT cluster_link_target_exists FOREIGN KEY (tenant_id, target_data_plane_id, target_cluster_id)
        REFERENCES cluster (tenant_id, data_plane_id, id),
    CONSTRAINT cluster_link_service_account_exists FOREIGN KEY (tenant_id, service_account_id)
        REFERENCES service_account (tenant_id, id)
);
CREATE INDEX cluster_link_source ON cluster_link (source_data_plane_id, source_cluster_id);
CREATE INDEX cluster_link_target ON cluster_link (target_data_plane_id, target_cluster_id);
CREATE INDEX cluster_link_source_cluster ON cluster_link (source_cluster_id);
CREATE INDEX cluster_link_service_account ON cluster_link (service_account_id);
CALL guard_tenant('cluster_link');
-- Each of its two data planes learns of it.
CREATE POLICY data_plane_scope ON cluster_link FOR SELECT USING (
    source_data_plane_id = (SELECT app_data_plane()) OR target_data_plane_id = (SELECT app_data_plane()));

-- A mirror is a topic that a link writes, and nobody else may. The name of its source is kept beside it: its data plane does not see the other's
-- topics, and names never change.
ALTER TABLE topic ADD COLUMN mirror_link_id uuid, ADD COLUMN mirror_source_topic_id uuid, ADD COLUMN mirror_source_name text,
    ADD CONSTRAINT topic_mirror_whole CHECK (num_nulls(mirror_link_id, mirror_source_topic_id, mirror_source_name) IN (0, 3)),
    ADD CONSTRAINT topic_mirror_is_no_mount CHECK (mirror_link_id IS NULL OR mount_topic_id IS NULL),
    ADD CONSTRAINT topic_mirror_promises_nothing CHECK (mirror_link_id IS NULL OR contract IS NULL),
    ADD CONSTRAINT topic_mirror_link_exists FOREIGN KEY (tenant_id, mirror_link_id) REFERENCES cluster_link (tenant_id, id),
    ADD CONSTRAINT topic_mirror_source_exists FOREIGN KEY (tenant_id, mirror_source_topic_id) REFERENCES topic (tenant_id, id),
    ADD CONSTRAINT topic_mirror_unique UNIQUE (cluster_id, mirror_source_topic_id);
CREATE INDEX topic_mirror_link ON topic (mirror_link_id) WHERE mirror_link_id IS NOT NULL;
CREATE INDEX topic_mirror_source ON topic (mirror_source_topic_id) WHERE mirror_source_topic_id IS NOT NULL;

-- What agents say of links: each end for itself, and the target of each topic. Written only by link/cluster_link.
CREATE TABLE cluster_link_status (
    link_id uuid NOT NULL,
    side text NOT NULL CHECK (side IN ('SOURCE', 'TARGET')),
    tenant_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    phase text NOT NULL,
    reason text NOT NULL,
    observed_epoch bigint NOT NULL,
    observed_n bigint NOT NULL,
    reported_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (link_id, side),
    FOREIGN KEY (tenant_id, link_id) REFERENCES cluster_link (tenant_id, id) ON DELETE CASCADE
);
CALL guard_tenant('cluster_link_status');
CREATE POLICY data_plane_scope ON cluster_link_status USING (data_plane_id = (SELECT app_data_plane()));

CREATE TABLE cluster_link_topic_status (
    topic_id uuid PRIMARY KEY,
    link_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    phase text NOT NULL,
    reason text NOT NULL,
    lag_records bigint,
    records bigint NOT NULL,
    bytes bigint NOT NULL,
    caught_up_at timestamptz,
    -- Of the source; unknown while it is null.
    partitions integer,
    reported_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (tenant_id, link_id) REFERENCES cluster_link (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, topic_id) REFERENCES topic (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX cluster_link_topic_status_link ON cluster_link_topic_status (link_id);
CALL guard_tenant('cluster_link_topic_status');
CREATE POLICY data_plane_scope ON cluster_link_topic_status USING (data_plane_id = (SELECT app_data_plane()));

-- Whoever has a cluster on a data plane may know its keys, as whoever connects to its gateways does; and the source of a link learns by which
-- key its target reads.
CREATE POLICY guest_scope ON data_plane_key FOR SELECT USING (data_plane_id IN (
    SELECT data_plane_id FROM cluster WHERE tenant_id = (SELECT app_tenant())));
CREATE POLICY data_plane_scope ON data_plane_key FOR SELECT USING (data_plane_id = (SELECT app_data_plane()));
CREATE POLICY peer_scope ON data_plane_key FOR SELECT USING (data_plane_id IN (
    SELECT target_data_plane_id FROM cluster_link WHERE source_data_plane_id = (SELECT app_data_plane())));
-- The target of a link learns where its source is reached.
CREATE POLICY peer_scope ON object_status FOR SELECT USING (object_id IN (
    SELECT source_cluster_id FROM cluster_link WHERE target_data_plane_id = (SELECT app_data_plane())));
-- And the source which of its topics are copied, so that none is forgotten under its copy.
CREATE POLICY peer_scope ON topic FOR SELECT USING (mirror_link_id IN (
    SELECT id FROM cluster_link WHERE source_data_plane_id = (SELECT app_data_plane())));
