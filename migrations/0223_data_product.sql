-- A data product: what a topic is called and said to be in the catalog of other tenants, and who finds it there. Its tenant is the topic's.
CREATE TABLE data_product (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    topic_id uuid NOT NULL CONSTRAINT data_product_topic_unique UNIQUE,
    -- Nobody but its tenant; the tenants that it names; every tenant of the installation.
    visibility text NOT NULL CHECK (visibility IN ('PRIVATE', 'LISTED', 'PUBLIC')),
    -- As the tenant's switch: what a tenant that gives nothing has listed is not found.
    given boolean NOT NULL DEFAULT true,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    price jsonb CHECK (jsonb_typeof(price) = 'object'),
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, topic_id) REFERENCES topic (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX data_product_public ON data_product (id) WHERE visibility = 'PUBLIC' AND given;
CALL guard_tenant('data_product');

-- The tenants that a LISTED one names.
CREATE TABLE data_product_reader (
    tenant_id uuid NOT NULL,
    data_product_id uuid NOT NULL,
    reader_tenant_id uuid NOT NULL CONSTRAINT data_product_reader_exists REFERENCES tenant (id) ON DELETE CASCADE,
    PRIMARY KEY (data_product_id, reader_tenant_id),
    FOREIGN KEY (tenant_id, data_product_id) REFERENCES data_product (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT data_product_reader_another CHECK (reader_tenant_id <> tenant_id)
);
CREATE INDEX data_product_reader_reader ON data_product_reader (reader_tenant_id, data_product_id);
CALL guard_tenant('data_product_reader');
CREATE POLICY reader_scope ON data_product_reader FOR SELECT USING (reader_tenant_id = (SELECT app_tenant()));

-- What is listed shows to tenants that are there, and to nobody without one.
CREATE POLICY public_scope ON data_product FOR SELECT USING (
    visibility = 'PUBLIC' AND given AND EXISTS (SELECT FROM tenant WHERE id = (SELECT app_tenant())));
CREATE POLICY listed_scope ON data_product FOR SELECT USING (visibility = 'LISTED' AND given AND id IN (
    SELECT data_product_id FROM data_product_reader WHERE reader_tenant_id = (SELECT app_tenant())));

-- Somebody asks for a data product; whoever may share its topic decides. Its tenant is the owner: what the requester decides is written
-- in the owner's name.
CREATE TABLE access_request (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    data_product_id uuid NOT NULL,
    requester_tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    -- As it was called when it was asked for.
    product_name text NOT NULL,
    -- The requester's own, where it would show the topic.
    cluster_id uuid,
    reason text NOT NULL,
    phase text NOT NULL DEFAULT 'PENDING' CHECK (phase IN ('PENDING', 'APPROVED', 'REJECTED', 'WITHDRAWN', 'EXPIRED')),
    answer text NOT NULL DEFAULT '',
    share_id uuid,
    expires_at timestamptz NOT NULL,
    decided_at timestamptz,
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (tenant_id, data_product_id) REFERENCES data_product (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT access_request_of_another CHECK (requester_tenant_id <> tenant_id),
    CONSTRAINT access_request_makes_a_share CHECK (share_id IS NULL OR phase = 'APPROVED')
);
CREATE UNIQUE INDEX access_request_open ON access_request (requester_tenant_id, data_product_id) WHERE phase = 'PENDING';
CREATE INDEX access_request_product ON access_request (tenant_id, data_product_id);
CREATE INDEX access_request_received ON access_request (tenant_id, id);
CREATE INDEX access_request_sent ON access_request (requester_tenant_id, created_at);
CREATE INDEX access_request_ending ON access_request (expires_at) WHERE phase = 'PENDING';
CALL guard_tenant('access_request');
CREATE POLICY requester_scope ON access_request FOR SELECT USING (requester_tenant_id = (SELECT app_tenant()));
