-- A share: topics of one cluster, offered to another tenant, which accepts it into a cluster of its own on the same broker pool. Its
-- tenant is the provider. Who is invited by e-mail or by link is no tenant yet; taking the invitation says which one it is.

-- A tenant shares nothing, and is shared nothing, until it says so.
CREATE TABLE sharing (
    tenant_id uuid PRIMARY KEY REFERENCES tenant (id) ON DELETE CASCADE,
    gives boolean NOT NULL,
    receives boolean NOT NULL,
    generation bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CALL guard_tenant('sharing');

CREATE TABLE share (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    terms text NOT NULL DEFAULT '',
    recipient jsonb NOT NULL,
    recipient_tenant_id uuid CONSTRAINT share_recipient_exists REFERENCES tenant (id) ON DELETE SET NULL,
    token_sha256 bytea UNIQUE,
    token_expires_at timestamptz,
    phase text NOT NULL DEFAULT 'INVITED'
        CHECK (phase IN ('INVITED', 'PREVIEWED', 'ACTIVE', 'DECLINED', 'LEFT', 'REVOKED', 'EXPIRED')),
    fetch_bytes_per_second bigint CHECK (fetch_bytes_per_second > 0),
    starts_at timestamptz,
    expires_at timestamptz,
    decided_at timestamptz,
    terms_accepted_at timestamptz,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    CONSTRAINT share_cluster_exists FOREIGN KEY (tenant_id, cluster_id) REFERENCES cluster (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT share_to_another CHECK (recipient_tenant_id <> tenant_id),
    CONSTRAINT share_ends_after_it_begins CHECK (expires_at > starts_at)
);
-- A name is free again when its share has ended.
CREATE UNIQUE INDEX share_name_unique ON share (tenant_id, name) WHERE phase IN ('INVITED', 'PREVIEWED', 'ACTIVE');
CREATE INDEX share_recipient ON share (recipient_tenant_id, id);
CREATE INDEX share_cluster ON share (tenant_id, cluster_id);
CREATE INDEX share_ending ON share (expires_at) WHERE phase IN ('INVITED', 'PREVIEWED', 'ACTIVE') AND expires_at IS NOT NULL;
CALL guard_tenant('share');
-- The recipient sees what it was offered. What it decides is written in the provider's name.
CREATE POLICY recipient_scope ON share FOR SELECT USING (recipient_tenant_id = (SELECT app_tenant()));
-- Before anybody is known: the share that the presented token opens.
CREATE POLICY lookup_scope ON share FOR SELECT USING (token_sha256 = (SELECT app_lookup_hash()));

-- What is shared, under which name, from where on, and what is done to its records.
CREATE TABLE share_topic (
    tenant_id uuid NOT NULL,
    share_id uuid NOT NULL,
    topic_id uuid NOT NULL,
    ordinal integer NOT NULL,
    alias text NOT NULL,
    contract_version integer CHECK (contract_version > 0),
    steps jsonb NOT NULL DEFAULT '[]',
    start jsonb NOT NULL,
    keys text CHECK (keys IN ('SHOWN', 'HASHED', 'WITHHELD')),
    PRIMARY KEY (share_id, topic_id),
    CONSTRAINT share_topic_alias_unique UNIQUE (share_id, alias),
    FOREIGN KEY (tenant_id, share_id) REFERENCES share (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT share_topic_exists FOREIGN KEY (tenant_id, topic_id) REFERENCES topic (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX share_topic_topic ON share_topic (tenant_id, topic_id);
CALL guard_tenant('share_topic');
CREATE POLICY recipient_scope ON share_topic FOR SELECT USING (share_id IN (
    SELECT id FROM share WHERE recipient_tenant_id = (SELECT app_tenant())));

-- What a share costs, from which hour on. Kept when the share is gone, for bills.
CREATE TABLE share_price (
    share_id uuid NOT NULL,
    effective_from timestamptz NOT NULL,
    tenant_id uuid NOT NULL,
    price jsonb CHECK (jsonb_typeof(price) = 'object'),
    PRIMARY KEY (share_id, effective_from)
);
CALL guard_tenant('share_price');
CREATE POLICY recipient_scope ON share_price FOR SELECT USING (share_id IN (
    SELECT id FROM share WHERE recipient_tenant_id = (SELECT app_tenant())));

-- Which topics showed others, by which share, from when to when. Kept when they are gone, for bills: usage is by the topic that showed.
CREATE TABLE share_mount (
    topic_id uuid PRIMARY KEY,
    share_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    consumer_tenant_id uuid NOT NULL,
    shown_topic_id uuid NOT NULL,
    shown_cluster_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    alias text NOT NULL,
    from_unix_ms bigint NOT NULL,
    mounted_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE INDEX share_mount_share ON share_mount (share_id);
CREATE INDEX share_mount_provider ON share_mount (tenant_id);
CREATE INDEX share_mount_consumer ON share_mount (consumer_tenant_id);
CALL guard_tenant('share_mount');
CREATE POLICY recipient_scope ON share_mount USING (consumer_tenant_id = (SELECT app_tenant()));
CREATE POLICY recipient_organization_scope ON share_mount FOR SELECT USING (consumer_tenant_id IN (
    SELECT id FROM tenant WHERE organization_id = (SELECT app_organization())));

-- The provider is credited for what was read through a mount, by the very rows that the consumer is charged for.
CREATE POLICY provider_scope ON usage_hour FOR SELECT USING (topic_id IN (
    SELECT topic_id FROM share_mount WHERE tenant_id = (SELECT app_tenant()) OR tenant_id IN (
        SELECT id FROM tenant WHERE organization_id = (SELECT app_organization()))));
-- And whoever reads through one sees its prices, also when the share is another's by now.
CREATE POLICY mounted_scope ON share_price FOR SELECT USING (share_id IN (
    SELECT share_id FROM share_mount WHERE consumer_tenant_id = (SELECT app_tenant()) OR consumer_tenant_id IN (
        SELECT id FROM tenant WHERE organization_id = (SELECT app_organization()))));

-- A mount is a topic of the recipient's that shows one of another tenant's; once in a cluster, since committed offsets are by the
-- broker's name. Its partitions are the other's.
ALTER TABLE topic DROP CONSTRAINT topic_partitions_check;
ALTER TABLE topic ADD COLUMN mount_share_id uuid, ADD COLUMN mount_topic_id uuid,
    ADD CONSTRAINT topic_mount_whole CHECK ((mount_share_id IS NULL) = (mount_topic_id IS NULL)),
    ADD CONSTRAINT topic_partitions_check CHECK (partitions > 0 OR (partitions = 0 AND mount_topic_id IS NOT NULL)),
    ADD CONSTRAINT topic_mount_promises_nothing CHECK (mount_topic_id IS NULL OR contract IS NULL),
    ADD CONSTRAINT topic_mount_shared FOREIGN KEY (mount_share_id, mount_topic_id)
        REFERENCES share_topic (share_id, topic_id),
    ADD CONSTRAINT topic_mount_unique UNIQUE (cluster_id, mount_topic_id);
CREATE INDEX topic_mount_shown ON topic (mount_topic_id) WHERE mount_topic_id IS NOT NULL;

-- The agent of the data plane learns of both sides.
CREATE POLICY data_plane_scope ON share FOR SELECT USING (cluster_id IN (
    SELECT id FROM cluster WHERE data_plane_id = (SELECT app_data_plane())));
CREATE POLICY data_plane_scope ON share_topic FOR SELECT USING (share_id IN (
    SELECT id FROM share WHERE cluster_id IN (SELECT id FROM cluster WHERE data_plane_id = (SELECT app_data_plane()))));
CREATE POLICY data_plane_scope ON share_mount FOR SELECT USING (cluster_id IN (
    SELECT id FROM cluster WHERE data_plane_id = (SELECT app_data_plane())));
