-- A share: topics of one cluster, offered to another tenant, which accepts it into a cluster of its own on the same broker pool. Its
-- tenant is the provider. Who is invited by e-mail or by link is no tenant yet; accepting says which one it is.
CREATE TABLE share (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    terms text NOT NULL DEFAULT '',
    recipient_tenant_id uuid CONSTRAINT share_recipient_exists REFERENCES tenant (id),
    recipient_email text,
    token_sha256 bytea UNIQUE,
    token_expires_at timestamptz,
    phase text NOT NULL DEFAULT 'INVITED'
        CHECK (phase IN ('INVITED', 'PREVIEWED', 'ACTIVE', 'DECLINED', 'LEFT', 'REVOKED', 'EXPIRED')),
    starts_at timestamptz,
    expires_at timestamptz,
    decided_at timestamptz,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    CONSTRAINT share_name_unique UNIQUE (tenant_id, name),
    CONSTRAINT share_cluster_exists FOREIGN KEY (tenant_id, cluster_id) REFERENCES cluster (tenant_id, id),
    CONSTRAINT share_to_another CHECK (recipient_tenant_id <> tenant_id),
    CONSTRAINT share_ends_after_it_begins CHECK (expires_at > starts_at)
);
CREATE INDEX share_recipient ON share (recipient_tenant_id, id);
CALL guard_tenant('share');
-- The recipient sees what it was offered, and answers.
CREATE POLICY recipient_scope ON share FOR SELECT USING (recipient_tenant_id = (SELECT app_tenant()));
CREATE POLICY recipient_answers ON share FOR UPDATE USING (recipient_tenant_id = (SELECT app_tenant()));

-- What is shared, under which name.
CREATE TABLE share_topic (
    tenant_id uuid NOT NULL,
    share_id uuid NOT NULL,
    topic_id uuid NOT NULL,
    alias text NOT NULL,
    PRIMARY KEY (share_id, topic_id),
    CONSTRAINT share_topic_alias_unique UNIQUE (share_id, alias),
    FOREIGN KEY (tenant_id, share_id) REFERENCES share (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT share_topic_exists FOREIGN KEY (tenant_id, topic_id) REFERENCES topic (tenant_id, id)
);
CREATE INDEX share_topic_topic ON share_topic (tenant_id, topic_id);
CALL guard_tenant('share_topic');
CREATE POLICY recipient_scope ON share_topic FOR SELECT USING (share_id IN (
    SELECT id FROM share WHERE recipient_tenant_id = (SELECT app_tenant())));

-- A mount is a topic of the recipient's that shows one of another tenant's; once in a cluster, since committed offsets are by the
-- broker's name.
ALTER TABLE topic ADD COLUMN mount_share_id uuid, ADD COLUMN mount_topic_id uuid,
    ADD CONSTRAINT topic_mount_whole CHECK ((mount_share_id IS NULL) = (mount_topic_id IS NULL)),
    ADD CONSTRAINT topic_mount_shared FOREIGN KEY (mount_share_id, mount_topic_id)
        REFERENCES share_topic (share_id, topic_id),
    ADD CONSTRAINT topic_mount_unique UNIQUE (cluster_id, mount_topic_id);
