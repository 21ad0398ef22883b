-- The directory: organizations over tenants, people, service accounts, what they may do, and how they prove who they are.

CREATE TABLE organization (
    id uuid PRIMARY KEY,
    name text NOT NULL CONSTRAINT organization_name_unique UNIQUE,
    display_name text NOT NULL,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tenant (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT tenant_organization_exists REFERENCES organization (id),
    name text NOT NULL,
    display_name text NOT NULL,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenant_name_unique UNIQUE (organization_id, name),
    UNIQUE (organization_id, id)
);

-- A person. Without an organization: an operator. With an organization only: its administrator or reader. With a tenant: its member.
CREATE TABLE member (
    id uuid PRIMARY KEY,
    organization_id uuid CONSTRAINT member_organization_exists REFERENCES organization (id),
    tenant_id uuid,
    email text NOT NULL CONSTRAINT member_email_unique UNIQUE,
    display_name text NOT NULL,
    password_hash text NOT NULL,
    last_signed_in_at timestamptz,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, email),
    CONSTRAINT member_tenant_exists FOREIGN KEY (organization_id, tenant_id) REFERENCES tenant (organization_id, id),
    CHECK (tenant_id IS NULL OR organization_id IS NOT NULL)
);
CREATE INDEX member_tenant ON member (tenant_id, id);

-- Where a member belongs is repeated here, so that the policies of the two tables need not refer to each other.
CREATE TABLE session (
    id uuid PRIMARY KEY,
    token_sha256 bytea NOT NULL UNIQUE,
    member_id uuid NOT NULL,
    email text NOT NULL,
    organization_id uuid,
    tenant_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    FOREIGN KEY (member_id, email) REFERENCES member (id, email) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX session_member ON session (member_id);

CREATE TABLE service_account (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL CONSTRAINT service_account_tenant_exists REFERENCES tenant (id),
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    CONSTRAINT service_account_name_unique UNIQUE (tenant_id, name)
);

-- What a principal may do: a role on the resources that match a pattern.
CREATE TABLE role_binding (
    id uuid PRIMARY KEY,
    organization_id uuid REFERENCES organization (id),
    tenant_id uuid,
    member_id uuid CONSTRAINT role_binding_member_exists REFERENCES member (id) ON DELETE CASCADE,
    service_account_id uuid,
    role text NOT NULL CHECK (role IN ('OPERATOR', 'ORGANIZATION_ADMIN', 'TENANT_ADMIN', 'DEVELOPER', 'READER')),
    resource text NOT NULL,
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT role_binding_tenant_exists FOREIGN KEY (organization_id, tenant_id) REFERENCES tenant (organization_id, id),
    CONSTRAINT role_binding_service_account_exists FOREIGN KEY (tenant_id, service_account_id)
        REFERENCES service_account (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT role_binding_unique UNIQUE NULLS NOT DISTINCT (tenant_id, member_id, service_account_id, role, resource),
    CHECK (num_nonnulls(member_id, service_account_id) = 1),
    CHECK (service_account_id IS NULL OR tenant_id IS NOT NULL),
    -- A role stands only where it means something.
    CONSTRAINT role_binding_operator_above CHECK (role <> 'OPERATOR' OR (organization_id IS NULL AND tenant_id IS NULL)),
    CONSTRAINT role_binding_organization_admin_above
        CHECK (role <> 'ORGANIZATION_ADMIN' OR (organization_id IS NOT NULL AND tenant_id IS NULL))
);
CREATE INDEX role_binding_member ON role_binding (member_id);
CREATE INDEX role_binding_service_account ON role_binding (service_account_id);
CREATE INDEX role_binding_tenant ON role_binding (tenant_id, id);

CREATE TABLE environment (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL CONSTRAINT environment_tenant_exists REFERENCES tenant (id),
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    labels jsonb NOT NULL DEFAULT '{}',
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    CONSTRAINT environment_name_unique UNIQUE (tenant_id, name)
);
