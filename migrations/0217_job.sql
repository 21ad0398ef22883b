-- Compute pools: how much of a data plane's processors and memory a tenant's jobs may use. Jobs: what runs there, version by version.
ALTER TABLE data_plane_grant ADD COLUMN compute_units_max integer NOT NULL DEFAULT 0 CHECK (compute_units_max >= 0);

CREATE TABLE compute_pool (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL CONSTRAINT compute_pool_tenant_exists REFERENCES tenant (id),
    -- The tenant's own, or one that a grant lends it units on.
    data_plane_id uuid NOT NULL CONSTRAINT compute_pool_data_plane_exists REFERENCES data_plane (id),
    name text NOT NULL,
    max_units integer NOT NULL CHECK (max_units BETWEEN 1 AND 1000),
    desired_n bigint NOT NULL DEFAULT 0,
    deleted_at timestamptz,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, data_plane_id, id),
    CONSTRAINT compute_pool_name_unique UNIQUE (tenant_id, name)
);
CREATE INDEX compute_pool_data_plane ON compute_pool (data_plane_id, id);

CREATE TABLE job (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    compute_pool_id uuid NOT NULL,
    -- Whose rights it has.
    service_account_id uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    desired_state text NOT NULL CHECK (desired_state IN ('RUNNING', 'STOPPED', 'AUTO_SUSPEND')),
    -- Of AUTO_SUSPEND; kept while the job is wished to run or to stand.
    auto_suspend jsonb,
    scaling jsonb NOT NULL DEFAULT '{}',
    priority integer NOT NULL DEFAULT 5 CHECK (priority BETWEEN 0 AND 9),
    protected boolean NOT NULL DEFAULT false,
    -- The version that is wished to run.
    version integer NOT NULL DEFAULT 1,
    restart_nonce bigint NOT NULL DEFAULT 0,
    desired_n bigint NOT NULL DEFAULT 0,
    deleted_at timestamptz,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    CHECK (desired_state <> 'AUTO_SUSPEND' OR auto_suspend IS NOT NULL),
    CONSTRAINT job_name_unique UNIQUE (cluster_id, name),
    CONSTRAINT job_cluster_exists FOREIGN KEY (tenant_id, data_plane_id, cluster_id)
        REFERENCES cluster (tenant_id, data_plane_id, id),
    CONSTRAINT job_compute_pool_exists FOREIGN KEY (tenant_id, data_plane_id, compute_pool_id)
        REFERENCES compute_pool (tenant_id, data_plane_id, id),
    CONSTRAINT job_service_account_exists FOREIGN KEY (tenant_id, service_account_id)
        REFERENCES service_account (tenant_id, id)
);
CREATE INDEX job_tenant ON job (tenant_id, id);
CREATE INDEX job_data_plane ON job (data_plane_id, id);
CREATE INDEX job_compute_pool ON job (compute_pool_id, id);
CREATE INDEX job_service_account ON job (service_account_id);

-- What a version does; it never changes. A rollback is a new version with an older one's program.
CREATE TABLE job_version (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    kind text NOT NULL CHECK (kind IN ('ACTION', 'SQL')),
    program jsonb NOT NULL,
    -- Is what the version before remembered taken over?
    keeps_state boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    PRIMARY KEY (job_id, version),
    FOREIGN KEY (tenant_id, job_id) REFERENCES job (tenant_id, id) ON DELETE CASCADE
);

-- The topics that a version reads and writes, so that none goes away under it and a change knows whom it meets.
CREATE TABLE job_topic (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    topic_id uuid NOT NULL,
    part text NOT NULL CHECK (part IN ('SOURCE', 'SINK', 'DEAD_LETTER')),
    PRIMARY KEY (job_id, part, topic_id),
    FOREIGN KEY (tenant_id, job_id) REFERENCES job (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT job_topic_exists FOREIGN KEY (tenant_id, topic_id) REFERENCES topic (tenant_id, id)
);
CREATE INDEX job_topic_topic ON job_topic (topic_id);

-- What agents report of jobs beside their phase. Written only by link/job.
CREATE TABLE job_status (
    job_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    version integer NOT NULL,
    workers integer NOT NULL,
    units integer NOT NULL,
    queue_place integer,
    restarts bigint NOT NULL,
    records_in bigint NOT NULL,
    records_out bigint NOT NULL,
    records_dropped bigint NOT NULL,
    records_dead bigint NOT NULL,
    lag bigint,
    watermark_at timestamptz,
    suspended_at timestamptz,
    offsets jsonb NOT NULL DEFAULT '[]',
    failures jsonb NOT NULL DEFAULT '[]',
    reported_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (tenant_id, job_id) REFERENCES job (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX job_status_data_plane ON job_status (data_plane_id);

-- A tenant with a compute pool on a data plane moves its generation on, too.
DROP POLICY tenant_scope ON data_plane_generation;
CREATE POLICY tenant_scope ON data_plane_generation USING (
    data_plane_id IN (SELECT id FROM data_plane WHERE tenant_id = (SELECT app_tenant()))
    OR data_plane_id IN (SELECT data_plane_id FROM cluster WHERE tenant_id = (SELECT app_tenant()))
    OR data_plane_id IN (SELECT data_plane_id FROM compute_pool WHERE tenant_id = (SELECT app_tenant())));

-- Reports change the status of compute pools, of tenants without a cluster there, too.
DROP POLICY data_plane_writes ON event;
CREATE POLICY data_plane_writes ON event FOR INSERT WITH CHECK (
    tenant_id IN (SELECT tenant_id FROM cluster WHERE data_plane_id = (SELECT app_data_plane()))
    OR tenant_id IN (SELECT tenant_id FROM data_plane WHERE data_plane.id = (SELECT app_data_plane()))
    OR tenant_id IN (SELECT tenant_id FROM compute_pool WHERE data_plane_id = (SELECT app_data_plane())));

CALL guard_tenant('compute_pool');
CALL guard_tenant('job');
CALL guard_tenant('job_version');
CALL guard_tenant('job_topic');
CALL guard_tenant('job_status');
CREATE POLICY data_plane_scope ON compute_pool USING (data_plane_id = (SELECT app_data_plane()));
CREATE POLICY data_plane_scope ON job USING (data_plane_id = (SELECT app_data_plane()));
CREATE POLICY data_plane_scope ON job_version FOR SELECT USING (
    job_id IN (SELECT id FROM job WHERE data_plane_id = (SELECT app_data_plane())));
CREATE POLICY data_plane_scope ON job_topic FOR SELECT USING (
    job_id IN (SELECT id FROM job WHERE data_plane_id = (SELECT app_data_plane())));
CREATE POLICY data_plane_scope ON job_status USING (data_plane_id = (SELECT app_data_plane()));
