-- What all migrations make, by pg_dump 15. Written by `cargo xtask bless`; a test compares.
CREATE FUNCTION public.app_data_plane() RETURNS uuid
    LANGUAGE sql STABLE
    RETURN CASE WHEN (current_setting('app.scope'::text, true) = 'data_plane'::text) THEN (NULLIF(current_setting('app.data_plane'::text, true), ''::text))::uuid ELSE NULL::uuid END;

CREATE FUNCTION public.app_lookup() RETURNS text
    LANGUAGE sql STABLE
    RETURN CASE WHEN (current_setting('app.scope'::text, true) = 'lookup'::text) THEN NULLIF(current_setting('app.lookup'::text, true), ''::text) ELSE NULL::text END;

CREATE FUNCTION public.app_lookup_hash() RETURNS bytea
    LANGUAGE sql STABLE
    RETURN CASE WHEN (public.app_lookup() ~ '^[0-9a-f]{64}$'::text) THEN decode(public.app_lookup(), 'hex'::text) ELSE NULL::bytea END;

CREATE FUNCTION public.app_lookup_id() RETURNS uuid
    LANGUAGE sql STABLE
    RETURN CASE WHEN (public.app_lookup() ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'::text) THEN (public.app_lookup())::uuid ELSE NULL::uuid END;

CREATE FUNCTION public.app_organization() RETURNS uuid
    LANGUAGE sql STABLE
    RETURN CASE WHEN (current_setting('app.scope'::text, true) = 'organization'::text) THEN (NULLIF(current_setting('app.organization'::text, true), ''::text))::uuid ELSE NULL::uuid END;

CREATE FUNCTION public.app_scope() RETURNS text
    LANGUAGE sql STABLE
    RETURN COALESCE(current_setting('app.scope'::text, true), ''::text);

CREATE FUNCTION public.app_tenant() RETURNS uuid
    LANGUAGE sql STABLE
    RETURN CASE WHEN (current_setting('app.scope'::text, true) = 'tenant'::text) THEN (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid ELSE NULL::uuid END;

CREATE TABLE public.contract_config (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    environment_id uuid,
    context uuid GENERATED ALWAYS AS (COALESCE(environment_id, '00000000-0000-0000-0000-000000000000'::uuid)) STORED NOT NULL,
    subject text NOT NULL,
    config jsonb DEFAULT '{}'::jsonb NOT NULL,
    mode text,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT contract_config_mode_check CHECK ((mode = ANY (ARRAY['READWRITE'::text, 'READONLY'::text, 'READONLY_OVERRIDE'::text, 'IMPORT'::text]))),
    CONSTRAINT contract_config_subject_check CHECK ((octet_length(subject) <= 512))
);

ALTER TABLE ONLY public.contract_config FORCE ROW LEVEL SECURITY;

CREATE FUNCTION public.contract_config_bytes(it public.contract_config) RETURNS bigint
    LANGUAGE sql STABLE
    RETURN octet_length(((it).config)::text);

CREATE FUNCTION public.contract_count_add(tenant uuid, more_versions bigint, more_bytes bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    own CONSTANT integer := pg_backend_pid() % 16;
BEGIN
    UPDATE contract_count c SET versions = c.versions + more_versions, bytes = c.bytes + more_bytes
        WHERE c.tenant_id = tenant AND c.slot = own;
    IF NOT FOUND THEN
        -- What ends with its tenant is not counted any more.
        INSERT INTO contract_count AS c (tenant_id, slot, versions, bytes)
            SELECT t.id, own, more_versions, more_bytes FROM tenant t WHERE t.id = tenant
            ON CONFLICT (tenant_id, slot)
            DO UPDATE SET versions = c.versions + more_versions, bytes = c.bytes + more_bytes;
    END IF;
END $$;

CREATE FUNCTION public.contract_lifecycle(metadata jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN COALESCE(((metadata -> 'sensitive'::text) ? 'lifecycle'::text), false) THEN NULL::text ELSE upper(((metadata -> 'properties'::text) ->> 'lifecycle'::text)) END;

CREATE TABLE public.contract_schema (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    environment_id uuid,
    context uuid GENERATED ALWAYS AS (COALESCE(environment_id, '00000000-0000-0000-0000-000000000000'::uuid)) STORED NOT NULL,
    schema_id integer NOT NULL,
    guid uuid NOT NULL,
    content_sha256 bytea NOT NULL,
    text_sha256 bytea NOT NULL,
    format text NOT NULL,
    text text NOT NULL,
    schema_references jsonb NOT NULL,
    metadata jsonb,
    rule_set jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    record_names text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT contract_schema_format_check CHECK ((format = ANY (ARRAY['AVRO'::text, 'JSON'::text, 'PROTOBUF'::text]))),
    CONSTRAINT contract_schema_schema_id_check CHECK ((schema_id > 0))
);

ALTER TABLE ONLY public.contract_schema FORCE ROW LEVEL SECURITY;

CREATE TABLE public.contract_version (
    tenant_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    version integer NOT NULL,
    contract_schema_id uuid NOT NULL,
    deleted_at timestamp with time zone,
    created_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT contract_version_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.contract_version FORCE ROW LEVEL SECURITY;

CREATE FUNCTION public.contract_retired(tenant uuid, contract uuid) RETURNS boolean
    LANGUAGE sql STABLE COST 1000
    RETURN COALESCE((SELECT (public.contract_lifecycle(s.metadata) = 'RETIRED'::text) FROM (public.contract_version v JOIN public.contract_schema s ON (((s.tenant_id = v.tenant_id) AND (s.id = v.contract_schema_id)))) WHERE ((v.tenant_id = contract_retired.tenant) AND (v.contract_id = contract_retired.contract) AND (v.deleted_at IS NULL)) ORDER BY v.version DESC LIMIT 1), false);

CREATE FUNCTION public.contract_schema_bytes(it public.contract_schema) RETURNS bigint
    LANGUAGE sql STABLE
    RETURN (((octet_length((it).text) + octet_length(((it).schema_references)::text)) + COALESCE(octet_length(((it).metadata)::text), 0)) + COALESCE(octet_length(((it).rule_set)::text), 0));

CREATE FUNCTION public.count_contract_config() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM contract_count_add(NEW.tenant_id, 0, contract_config_bytes(NEW));
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM contract_count_add(OLD.tenant_id, 0, -contract_config_bytes(OLD));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.count_contract_schema() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM contract_count_add(NEW.tenant_id, 0, contract_schema_bytes(NEW));
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM contract_count_add(OLD.tenant_id, 0, -contract_schema_bytes(OLD));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.count_contract_version() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM contract_count_add(NEW.tenant_id, 1, 0);
    ELSE
        PERFORM contract_count_add(OLD.tenant_id, -1, 0);
    END IF;
    RETURN NULL;
END $$;

CREATE PROCEDURE public.guard_operator(IN guarded regclass)
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format('CREATE POLICY operator_scope ON %s USING ((SELECT app_scope()) = ''operator'')', guarded);
END $$;

CREATE PROCEDURE public.guard_tenant(IN guarded regclass)
    LANGUAGE plpgsql
    AS $$
BEGIN
    CALL guard_operator(guarded);
    EXECUTE format('CREATE POLICY tenant_scope ON %s USING (tenant_id = (SELECT app_tenant()))', guarded);
    EXECUTE format('CREATE POLICY organization_scope ON %s FOR SELECT USING (tenant_id IN '
        '(SELECT id FROM tenant WHERE organization_id = (SELECT app_organization())))', guarded);
END $$;

CREATE FUNCTION public.part_takes(strategy text, topic text, part text, subject text, record_names text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE strategy WHEN 'TOPIC_NAME'::text THEN (subject = ((topic || '-'::text) || part)) WHEN 'RECORD_NAME'::text THEN (subject = ANY (record_names)) WHEN 'TOPIC_RECORD_NAME'::text THEN (starts_with(subject, (topic || '-'::text)) AND (substr(subject, (length(topic) + 2)) = ANY (record_names))) ELSE false END;

CREATE FUNCTION public.tell_forget() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify(TG_ARGV[0], '');
    RETURN NULL;
END $$;

CREATE FUNCTION public.topic_takes(contract jsonb, topic text, subject text, record_names text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (COALESCE(((contract ->> 'enforcement'::text) <> 'OFF'::text), false) AND (EXISTS (SELECT FROM (VALUES ('key'::text), ('value'::text)) part(name) WHERE public.part_takes(((topic_takes.contract -> part.name) ->> 'strategy'::text), topic_takes.topic, part.name, topic_takes.subject, topic_takes.record_names))));

CREATE TABLE public.access_request (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    data_product_id uuid NOT NULL,
    requester_tenant_id uuid NOT NULL,
    product_name text NOT NULL,
    cluster_id uuid,
    reason text NOT NULL,
    phase text DEFAULT 'PENDING'::text NOT NULL,
    answer text DEFAULT ''::text NOT NULL,
    share_id uuid,
    expires_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT access_request_makes_a_share CHECK (((share_id IS NULL) OR (phase = 'APPROVED'::text))),
    CONSTRAINT access_request_of_another CHECK ((requester_tenant_id <> tenant_id)),
    CONSTRAINT access_request_phase_check CHECK ((phase = ANY (ARRAY['PENDING'::text, 'APPROVED'::text, 'REJECTED'::text, 'WITHDRAWN'::text, 'EXPIRED'::text])))
);

ALTER TABLE ONLY public.access_request FORCE ROW LEVEL SECURITY;

CREATE TABLE public.alert_lag (
    rule_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    outcome text NOT NULL,
    lag_records bigint NOT NULL,
    reported_at timestamp with time zone NOT NULL,
    CONSTRAINT alert_lag_lag_records_check CHECK ((lag_records >= 0)),
    CONSTRAINT alert_lag_outcome_check CHECK ((outcome = ANY (ARRAY['MEASURED'::text, 'NO_COMMITS'::text, 'WITHHELD'::text, 'UNREACHABLE'::text, 'TOO_MANY'::text])))
);

ALTER TABLE ONLY public.alert_lag FORCE ROW LEVEL SECURITY;

CREATE TABLE public.alert_rule (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    threshold bigint NOT NULL,
    for_seconds integer NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    group_id text,
    topic_name text,
    CONSTRAINT alert_rule_for_seconds_check CHECK ((for_seconds >= 0)),
    CONSTRAINT alert_rule_group_id_check CHECK (((length(group_id) >= 1) AND (length(group_id) <= 249))),
    CONSTRAINT alert_rule_group_of_lag CHECK ((((kind = 'LAG'::text) = (group_id IS NOT NULL)) AND ((kind = ANY (ARRAY['LAG'::text, 'VIOLATIONS'::text])) OR (topic_name IS NULL)))),
    CONSTRAINT alert_rule_kind_check CHECK ((kind = ANY (ARRAY['THROTTLING'::text, 'STORAGE'::text, 'LAG'::text, 'VIOLATIONS'::text]))),
    CONSTRAINT alert_rule_threshold_check CHECK ((threshold > 0)),
    CONSTRAINT alert_rule_topic_name_check CHECK (((length(topic_name) >= 1) AND (length(topic_name) <= 249)))
);

ALTER TABLE ONLY public.alert_rule FORCE ROW LEVEL SECURITY;

CREATE TABLE public.alert_state (
    rule_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    state text NOT NULL,
    value bigint,
    since timestamp with time zone NOT NULL,
    evaluated_at timestamp with time zone NOT NULL,
    reason text,
    told text,
    CONSTRAINT alert_state_reason_check CHECK ((reason = ANY (ARRAY['NO_REPORT'::text, 'NO_COMMITS'::text, 'WITHHELD'::text, 'UNREACHABLE'::text, 'TOO_MANY'::text]))),
    CONSTRAINT alert_state_state_check CHECK ((state = ANY (ARRAY['OK'::text, 'PENDING'::text, 'FIRING'::text, 'NO_DATA'::text]))),
    CONSTRAINT alert_state_told_check CHECK ((told = ANY (ARRAY['firing'::text, 'resolved'::text, 'no_data'::text]))),
    CONSTRAINT alert_state_value_or_reason CHECK ((((state = 'NO_DATA'::text) = (value IS NULL)) AND ((state = 'NO_DATA'::text) = (reason IS NOT NULL))))
);

ALTER TABLE ONLY public.alert_state FORCE ROW LEVEL SECURITY;

CREATE TABLE public.api_key (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    service_account_id uuid NOT NULL,
    cluster_id uuid,
    data_plane_id uuid,
    description text DEFAULT ''::text NOT NULL,
    secret_sha256 bytea NOT NULL,
    scram_iterations integer NOT NULL,
    scram_256_salt bytea NOT NULL,
    scram_256_stored_key bytea NOT NULL,
    scram_256_server_key bytea NOT NULL,
    scram_512_salt bytea NOT NULL,
    scram_512_stored_key bytea NOT NULL,
    scram_512_server_key bytea NOT NULL,
    expires_at timestamp with time zone,
    desired_n bigint DEFAULT 0 NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    public_key_sha256 bytea,
    sealed bytea,
    CONSTRAINT api_key_check CHECK (((cluster_id IS NULL) = (data_plane_id IS NULL))),
    CONSTRAINT api_key_sealed_form CHECK (((sealed IS NULL) OR ((cluster_id IS NOT NULL) AND (octet_length(sealed) <= 1024)))),
    CONSTRAINT api_key_secret_or_public_key CHECK (
CASE
    WHEN (public_key_sha256 IS NULL) THEN (secret_sha256 <> '\x'::bytea)
    ELSE ((octet_length(public_key_sha256) = 32) AND (cluster_id IS NOT NULL) AND (secret_sha256 = '\x'::bytea) AND (scram_256_stored_key = '\x'::bytea) AND (scram_256_server_key = '\x'::bytea) AND (scram_512_stored_key = '\x'::bytea) AND (scram_512_server_key = '\x'::bytea))
END)
);

ALTER TABLE ONLY public.api_key FORCE ROW LEVEL SECURITY;

CREATE TABLE public.audit_event (
    id uuid NOT NULL,
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
    occurred_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.audit_event FORCE ROW LEVEL SECURITY;

CREATE TABLE public.broker_pool (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    name text NOT NULL,
    brokers integer NOT NULL,
    restart_nonce bigint DEFAULT 0 NOT NULL,
    desired_n bigint DEFAULT 0 NOT NULL,
    deleted_at timestamp with time zone,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    attached jsonb,
    CONSTRAINT broker_pool_brokers_check CHECK ((brokers = ANY (ARRAY[1, 3])))
);

ALTER TABLE ONLY public.broker_pool FORCE ROW LEVEL SECURITY;

CREATE TABLE public.cluster (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    environment_id uuid NOT NULL,
    broker_pool_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    name text NOT NULL,
    kafka_cluster_id text NOT NULL,
    desired_n bigint DEFAULT 0 NOT NULL,
    deleted_at timestamp with time zone,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    adopts boolean DEFAULT false NOT NULL,
    access text DEFAULT 'GATEWAY'::text NOT NULL,
    CONSTRAINT cluster_access_known CHECK ((access = ANY (ARRAY['GATEWAY'::text, 'NATIVE'::text])))
);

ALTER TABLE ONLY public.cluster FORCE ROW LEVEL SECURITY;

CREATE TABLE public.cluster_link (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    source_cluster_id uuid NOT NULL,
    source_data_plane_id uuid NOT NULL,
    target_cluster_id uuid NOT NULL,
    target_data_plane_id uuid NOT NULL,
    service_account_id uuid NOT NULL,
    start_at text NOT NULL,
    desired_state text NOT NULL,
    source_desired_n bigint DEFAULT 0 NOT NULL,
    target_desired_n bigint DEFAULT 0 NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT cluster_link_desired_state_check CHECK ((desired_state = ANY (ARRAY['RUNNING'::text, 'PAUSED'::text]))),
    CONSTRAINT cluster_link_of_two CHECK ((source_cluster_id <> target_cluster_id)),
    CONSTRAINT cluster_link_start_at_check CHECK ((start_at = ANY (ARRAY['EARLIEST'::text, 'LATEST'::text])))
);

ALTER TABLE ONLY public.cluster_link FORCE ROW LEVEL SECURITY;

CREATE TABLE public.cluster_link_status (
    link_id uuid NOT NULL,
    side text NOT NULL,
    tenant_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    phase text NOT NULL,
    reason text NOT NULL,
    observed_epoch bigint NOT NULL,
    observed_n bigint NOT NULL,
    reported_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT cluster_link_status_side_check CHECK ((side = ANY (ARRAY['SOURCE'::text, 'TARGET'::text])))
);

ALTER TABLE ONLY public.cluster_link_status FORCE ROW LEVEL SECURITY;

CREATE TABLE public.cluster_link_topic_status (
    topic_id uuid NOT NULL,
    link_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    phase text NOT NULL,
    reason text NOT NULL,
    lag_records bigint,
    records bigint NOT NULL,
    bytes bigint NOT NULL,
    caught_up_at timestamp with time zone,
    partitions integer,
    reported_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.cluster_link_topic_status FORCE ROW LEVEL SECURITY;

CREATE TABLE public.compute_budget (
    compute_pool_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    month date NOT NULL,
    level text NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT compute_budget_level_check CHECK ((level = ANY (ARRAY['WITHIN'::text, 'WARNED'::text, 'EXHAUSTED'::text])))
);

ALTER TABLE ONLY public.compute_budget FORCE ROW LEVEL SECURITY;

CREATE TABLE public.compute_pool (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    name text NOT NULL,
    max_units integer NOT NULL,
    desired_n bigint DEFAULT 0 NOT NULL,
    deleted_at timestamp with time zone,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    budget jsonb,
    CONSTRAINT compute_pool_max_units_check CHECK (((max_units >= 1) AND (max_units <= 1000)))
);

ALTER TABLE ONLY public.compute_pool FORCE ROW LEVEL SECURITY;

CREATE TABLE public.compute_use (
    compute_pool_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    month date NOT NULL,
    counter uuid NOT NULL,
    unit_ms bigint NOT NULL,
    CONSTRAINT compute_use_unit_ms_check CHECK ((unit_ms >= 0))
);

ALTER TABLE ONLY public.compute_use FORCE ROW LEVEL SECURITY;

CREATE TABLE public.contract (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    environment_id uuid,
    context uuid GENERATED ALWAYS AS (COALESCE(environment_id, '00000000-0000-0000-0000-000000000000'::uuid)) STORED NOT NULL,
    subject text NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT contract_subject_check CHECK (((octet_length(subject) >= 1) AND (octet_length(subject) <= 512)))
);

ALTER TABLE ONLY public.contract FORCE ROW LEVEL SECURITY;

CREATE TABLE public.contract_count (
    tenant_id uuid NOT NULL,
    slot integer NOT NULL,
    versions bigint NOT NULL,
    bytes bigint NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.contract_count FORCE ROW LEVEL SECURITY;

CREATE TABLE public.contract_finding (
    tenant_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    version integer NOT NULL,
    ordinal integer NOT NULL,
    rule_id uuid NOT NULL,
    rule text NOT NULL,
    message text NOT NULL
);

ALTER TABLE ONLY public.contract_finding FORCE ROW LEVEL SECURITY;

CREATE TABLE public.contract_judged (
    topic_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    minute timestamp with time zone NOT NULL,
    records bigint NOT NULL,
    violating bigint NOT NULL,
    last_record_at timestamp with time zone,
    CONSTRAINT contract_judged_records_check CHECK ((records >= 0)),
    CONSTRAINT contract_judged_violating_check CHECK ((violating >= 0))
);

ALTER TABLE ONLY public.contract_judged FORCE ROW LEVEL SECURITY;

CREATE TABLE public.contract_lint_rule (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    environment_id uuid,
    display_name text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    expression text NOT NULL,
    message text NOT NULL,
    mode text NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT contract_lint_rule_description_check CHECK ((char_length(description) <= 1000)),
    CONSTRAINT contract_lint_rule_display_name_check CHECK (((char_length(display_name) >= 1) AND (char_length(display_name) <= 100))),
    CONSTRAINT contract_lint_rule_expression_check CHECK (((octet_length(expression) >= 1) AND (octet_length(expression) <= 16384))),
    CONSTRAINT contract_lint_rule_message_check CHECK (((char_length(message) >= 1) AND (char_length(message) <= 500))),
    CONSTRAINT contract_lint_rule_mode_check CHECK ((mode = ANY (ARRAY['ENFORCE'::text, 'AUDIT'::text])))
);

ALTER TABLE ONLY public.contract_lint_rule FORCE ROW LEVEL SECURITY;

CREATE TABLE public.contract_reference (
    tenant_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    version integer NOT NULL,
    ordinal integer NOT NULL,
    to_contract_id uuid NOT NULL,
    to_version integer NOT NULL
);

ALTER TABLE ONLY public.contract_reference FORCE ROW LEVEL SECURITY;

CREATE SEQUENCE public.contract_schema_id
    AS integer
    START WITH 100000000
    INCREMENT BY 1
    MINVALUE 100000000
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.contract_violation (
    topic_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    minute timestamp with time zone NOT NULL,
    principal_id uuid NOT NULL,
    part text NOT NULL,
    contract_schema_id uuid NOT NULL,
    kind text NOT NULL,
    rule integer NOT NULL,
    enforcement text NOT NULL,
    records bigint NOT NULL,
    CONSTRAINT contract_violation_enforcement_check CHECK ((enforcement = ANY (ARRAY['SHADOW'::text, 'MARK'::text, 'DLQ'::text, 'REJECT'::text]))),
    CONSTRAINT contract_violation_part_check CHECK ((part = ANY (ARRAY['KEY'::text, 'VALUE'::text]))),
    CONSTRAINT contract_violation_records_check CHECK ((records > 0)),
    CONSTRAINT contract_violation_rule_check CHECK ((rule >= 0))
);

ALTER TABLE ONLY public.contract_violation FORCE ROW LEVEL SECURITY;

CREATE TABLE public.data_plane (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    revoked_at timestamp with time zone,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.data_plane FORCE ROW LEVEL SECURITY;

CREATE TABLE public.data_plane_generation (
    data_plane_id uuid NOT NULL,
    epoch bigint DEFAULT 1 NOT NULL,
    n bigint DEFAULT 0 NOT NULL
);

ALTER TABLE ONLY public.data_plane_generation FORCE ROW LEVEL SECURITY;

CREATE TABLE public.data_plane_grant (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    broker_pool_id uuid NOT NULL,
    guest_tenant_id uuid NOT NULL,
    clusters_max integer NOT NULL,
    topics_max integer NOT NULL,
    partitions_max integer NOT NULL,
    phase text DEFAULT 'OFFERED'::text NOT NULL,
    decided_at timestamp with time zone,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    compute_units_max integer DEFAULT 0 NOT NULL,
    CONSTRAINT data_plane_grant_clusters_max_check CHECK ((clusters_max >= 0)),
    CONSTRAINT data_plane_grant_compute_units_max_check CHECK ((compute_units_max >= 0)),
    CONSTRAINT data_plane_grant_partitions_max_check CHECK ((partitions_max >= 0)),
    CONSTRAINT data_plane_grant_phase_check CHECK ((phase = ANY (ARRAY['OFFERED'::text, 'ACTIVE'::text, 'DECLINED'::text, 'REVOKED'::text]))),
    CONSTRAINT data_plane_grant_to_another CHECK ((guest_tenant_id <> tenant_id)),
    CONSTRAINT data_plane_grant_topics_max_check CHECK ((topics_max >= 0))
);

ALTER TABLE ONLY public.data_plane_grant FORCE ROW LEVEL SECURITY;

CREATE TABLE public.data_plane_key (
    data_plane_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    link_key_sha256 bytea,
    gateway_key_sha256 bytea,
    told_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT data_plane_key_gateway_key_sha256_check CHECK ((octet_length(gateway_key_sha256) = 32)),
    CONSTRAINT data_plane_key_link_key_sha256_check CHECK ((octet_length(link_key_sha256) = 32))
);

ALTER TABLE ONLY public.data_plane_key FORCE ROW LEVEL SECURITY;

CREATE TABLE public.data_plane_link (
    data_plane_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    enrolled_at timestamp with time zone NOT NULL,
    public_key_sha256 bytea NOT NULL,
    certificate_not_after timestamp with time zone NOT NULL,
    instance bigint,
    last_seen_at timestamp with time zone,
    agent_version text DEFAULT ''::text NOT NULL,
    kafka_version text DEFAULT ''::text NOT NULL,
    accepted_epoch bigint DEFAULT 0 NOT NULL,
    accepted_n bigint DEFAULT 0 NOT NULL,
    applied_epoch bigint DEFAULT 0 NOT NULL,
    applied_n bigint DEFAULT 0 NOT NULL,
    gateways_live integer DEFAULT 0 NOT NULL,
    usage_windows_waiting bigint DEFAULT 0 NOT NULL,
    previous_public_key_sha256 bytea,
    session_id uuid,
    fenced_instances bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    sealing_public_key bytea,
    CONSTRAINT data_plane_link_sealing_key_form CHECK ((octet_length(sealing_public_key) = 32))
);

ALTER TABLE ONLY public.data_plane_link FORCE ROW LEVEL SECURITY;

CREATE TABLE public.data_product (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    topic_id uuid NOT NULL,
    visibility text NOT NULL,
    given boolean DEFAULT true NOT NULL,
    name text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    price jsonb,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT data_product_price_check CHECK ((jsonb_typeof(price) = 'object'::text)),
    CONSTRAINT data_product_visibility_check CHECK ((visibility = ANY (ARRAY['PRIVATE'::text, 'LISTED'::text, 'PUBLIC'::text])))
);

ALTER TABLE ONLY public.data_product FORCE ROW LEVEL SECURITY;

CREATE TABLE public.data_product_reader (
    tenant_id uuid NOT NULL,
    data_product_id uuid NOT NULL,
    reader_tenant_id uuid NOT NULL,
    CONSTRAINT data_product_reader_another CHECK ((reader_tenant_id <> tenant_id))
);

ALTER TABLE ONLY public.data_product_reader FORCE ROW LEVEL SECURITY;

CREATE TABLE public.desired_state (
    data_plane_id uuid NOT NULL,
    epoch bigint NOT NULL,
    n bigint NOT NULL,
    body bytea NOT NULL,
    digest bytea NOT NULL,
    signature bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    built_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.desired_state FORCE ROW LEVEL SECURITY;

CREATE TABLE public.enrollment_token (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    token_sha256 bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

ALTER TABLE ONLY public.enrollment_token FORCE ROW LEVEL SECURITY;

CREATE TABLE public.environment (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.environment FORCE ROW LEVEL SECURITY;

CREATE TABLE public.event (
    id uuid NOT NULL,
    "position" bigint,
    organization_id uuid,
    tenant_id uuid,
    kind text NOT NULL,
    object_id uuid NOT NULL,
    action text NOT NULL,
    generation bigint NOT NULL,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.event FORCE ROW LEVEL SECURITY;

CREATE TABLE public.event_head (
    one boolean DEFAULT true NOT NULL,
    "position" bigint DEFAULT 0 NOT NULL,
    oldest bigint DEFAULT 1 NOT NULL,
    CONSTRAINT event_head_one_check CHECK (one)
);

ALTER TABLE ONLY public.event_head FORCE ROW LEVEL SECURITY;

CREATE TABLE public.idempotency (
    principal_id uuid NOT NULL,
    key_sha256 bytea NOT NULL,
    tenant_id uuid,
    organization_id uuid,
    request_sha256 bytea NOT NULL,
    status integer NOT NULL,
    answer bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.idempotency FORCE ROW LEVEL SECURITY;

CREATE TABLE public.job (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    compute_pool_id uuid NOT NULL,
    service_account_id uuid NOT NULL,
    name text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    desired_state text NOT NULL,
    auto_suspend jsonb,
    scaling jsonb DEFAULT '{}'::jsonb NOT NULL,
    priority integer DEFAULT 5 NOT NULL,
    protected boolean DEFAULT false NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    restart_nonce bigint DEFAULT 0 NOT NULL,
    desired_n bigint DEFAULT 0 NOT NULL,
    deleted_at timestamp with time zone,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT job_check CHECK (((desired_state <> 'AUTO_SUSPEND'::text) OR (auto_suspend IS NOT NULL))),
    CONSTRAINT job_desired_state_check CHECK ((desired_state = ANY (ARRAY['RUNNING'::text, 'STOPPED'::text, 'AUTO_SUSPEND'::text]))),
    CONSTRAINT job_priority_check CHECK (((priority >= 0) AND (priority <= 9)))
);

ALTER TABLE ONLY public.job FORCE ROW LEVEL SECURITY;

CREATE TABLE public.job_decision (
    job_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    also jsonb DEFAULT '[]'::jsonb NOT NULL,
    workers integer NOT NULL,
    workers_wanted integer NOT NULL,
    workers_given integer NOT NULL,
    lag bigint,
    terms jsonb
);

ALTER TABLE ONLY public.job_decision FORCE ROW LEVEL SECURITY;

CREATE TABLE public.job_status (
    job_id uuid NOT NULL,
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
    watermark_at timestamp with time zone,
    suspended_at timestamp with time zone,
    offsets jsonb DEFAULT '[]'::jsonb NOT NULL,
    failures jsonb DEFAULT '[]'::jsonb NOT NULL,
    reported_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.job_status FORCE ROW LEVEL SECURITY;

CREATE TABLE public.job_topic (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    topic_id uuid NOT NULL,
    part text NOT NULL,
    CONSTRAINT job_topic_part_check CHECK ((part = ANY (ARRAY['SOURCE'::text, 'SINK'::text, 'DEAD_LETTER'::text])))
);

ALTER TABLE ONLY public.job_topic FORCE ROW LEVEL SECURITY;

CREATE TABLE public.job_version (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    version integer NOT NULL,
    kind text NOT NULL,
    program jsonb NOT NULL,
    keeps_state boolean NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    CONSTRAINT job_version_kind_check CHECK ((kind = ANY (ARRAY['ACTION'::text, 'SQL'::text]))),
    CONSTRAINT job_version_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.job_version FORCE ROW LEVEL SECURITY;

CREATE TABLE public.lease (
    name text NOT NULL,
    holder uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.lease FORCE ROW LEVEL SECURITY;

CREATE TABLE public.member (
    id uuid NOT NULL,
    organization_id uuid,
    tenant_id uuid,
    email text NOT NULL,
    display_name text NOT NULL,
    password_hash text NOT NULL,
    last_signed_in_at timestamp with time zone,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT member_check CHECK (((tenant_id IS NULL) OR (organization_id IS NOT NULL)))
);

ALTER TABLE ONLY public.member FORCE ROW LEVEL SECURITY;

CREATE TABLE public.object_status (
    object_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    phase text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    observed_epoch bigint NOT NULL,
    observed_n bigint NOT NULL,
    policy_accepted boolean DEFAULT true NOT NULL,
    observed_partitions integer DEFAULT 0 NOT NULL,
    brokers_ready integer DEFAULT 0 NOT NULL,
    gateways_acknowledged integer DEFAULT 0 NOT NULL,
    drifted boolean DEFAULT false NOT NULL,
    bootstrap_host text DEFAULT ''::text NOT NULL,
    bootstrap_port integer DEFAULT 0 NOT NULL,
    reported_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.object_status FORCE ROW LEVEL SECURITY;

CREATE TABLE public.organization (
    id uuid NOT NULL,
    name text NOT NULL,
    display_name text NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.organization FORCE ROW LEVEL SECURITY;

CREATE TABLE public.quota (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    subject text NOT NULL,
    mode text NOT NULL,
    ingress_bytes_per_second bigint,
    egress_bytes_per_second bigint,
    requests_per_second bigint,
    connections bigint,
    floor_ingress_bytes_per_second bigint,
    floor_egress_bytes_per_second bigint,
    burst_seconds integer NOT NULL,
    desired_n bigint DEFAULT 0 NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    partition_mutations_per_second bigint,
    storage_bytes bigint,
    CONSTRAINT quota_burst_seconds_check CHECK ((burst_seconds >= 0)),
    CONSTRAINT quota_connections_check CHECK ((connections > 0)),
    CONSTRAINT quota_egress_bytes_per_second_check CHECK ((egress_bytes_per_second > 0)),
    CONSTRAINT quota_floor_egress_bytes_per_second_check CHECK ((floor_egress_bytes_per_second > 0)),
    CONSTRAINT quota_floor_ingress_bytes_per_second_check CHECK ((floor_ingress_bytes_per_second > 0)),
    CONSTRAINT quota_ingress_bytes_per_second_check CHECK ((ingress_bytes_per_second > 0)),
    CONSTRAINT quota_mode_check CHECK ((mode = ANY (ARRAY['ENFORCE'::text, 'SHADOW'::text]))),
    CONSTRAINT quota_partition_mutations_per_second_check CHECK ((partition_mutations_per_second > 0)),
    CONSTRAINT quota_requests_per_second_check CHECK ((requests_per_second > 0)),
    CONSTRAINT quota_storage_bytes_check CHECK ((storage_bytes > 0)),
    CONSTRAINT quota_storage_of_tenant CHECK (((storage_bytes IS NULL) OR (subject = 'TENANT'::text))),
    CONSTRAINT quota_subject_check CHECK ((subject = ANY (ARRAY['PRINCIPALS'::text, 'DEFAULT'::text, 'SHARED'::text, 'TENANT'::text])))
);

ALTER TABLE ONLY public.quota FORCE ROW LEVEL SECURITY;

CREATE TABLE public.quota_principal (
    quota_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    subject text NOT NULL,
    service_account_id uuid NOT NULL,
    CONSTRAINT quota_principal_subject_check CHECK ((subject = ANY (ARRAY['PRINCIPALS'::text, 'SHARED'::text])))
);

ALTER TABLE ONLY public.quota_principal FORCE ROW LEVEL SECURITY;

CREATE TABLE public.quota_storage (
    quota_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    bytes bigint NOT NULL,
    measured_at timestamp with time zone NOT NULL,
    CONSTRAINT quota_storage_bytes_check1 CHECK ((bytes >= 0))
);

ALTER TABLE ONLY public.quota_storage FORCE ROW LEVEL SECURITY;

CREATE TABLE public.quota_use (
    quota_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    principal_id uuid NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ingress_bytes bigint NOT NULL,
    egress_bytes bigint NOT NULL,
    requests bigint NOT NULL,
    throttled_ms bigint NOT NULL,
    would_throttle_ms bigint NOT NULL,
    connections bigint NOT NULL,
    connections_refused bigint NOT NULL,
    partition_mutations bigint DEFAULT 0 NOT NULL,
    mutations_refused bigint DEFAULT 0 NOT NULL,
    storage_refused bigint DEFAULT 0 NOT NULL
);

ALTER TABLE ONLY public.quota_use FORCE ROW LEVEL SECURITY;

CREATE TABLE public.rate_card (
    id uuid NOT NULL,
    organization_id uuid,
    tenant_id uuid,
    name text NOT NULL,
    currency text NOT NULL,
    effective_from timestamp with time zone NOT NULL,
    prices jsonb NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT rate_card_check CHECK ((num_nonnulls(organization_id, tenant_id) <= 1)),
    CONSTRAINT rate_card_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text))
);

ALTER TABLE ONLY public.rate_card FORCE ROW LEVEL SECURITY;

CREATE TABLE public.role_binding (
    id uuid NOT NULL,
    organization_id uuid,
    tenant_id uuid,
    member_id uuid,
    service_account_id uuid,
    role text NOT NULL,
    resource text NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT role_binding_check CHECK ((num_nonnulls(member_id, service_account_id) = 1)),
    CONSTRAINT role_binding_check1 CHECK (((service_account_id IS NULL) OR (tenant_id IS NOT NULL))),
    CONSTRAINT role_binding_operator_above CHECK (((role <> 'OPERATOR'::text) OR ((organization_id IS NULL) AND (tenant_id IS NULL)))),
    CONSTRAINT role_binding_organization_admin_above CHECK (((role <> 'ORGANIZATION_ADMIN'::text) OR ((organization_id IS NOT NULL) AND (tenant_id IS NULL)))),
    CONSTRAINT role_binding_role_check CHECK ((role = ANY (ARRAY['OPERATOR'::text, 'ORGANIZATION_ADMIN'::text, 'TENANT_ADMIN'::text, 'DEVELOPER'::text, 'READER'::text])))
);

ALTER TABLE ONLY public.role_binding FORCE ROW LEVEL SECURITY;

CREATE TABLE public.served_cluster (
    cluster_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    environment_id uuid NOT NULL
);

ALTER TABLE ONLY public.served_cluster FORCE ROW LEVEL SECURITY;

CREATE TABLE public.service_account (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.service_account FORCE ROW LEVEL SECURITY;

CREATE TABLE public.service_level (
    topic_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    since timestamp with time zone NOT NULL,
    minute timestamp with time zone NOT NULL,
    known_at timestamp with time zone,
    state text NOT NULL,
    reason text,
    value double precision,
    last_record_at timestamp with time zone,
    good bigint NOT NULL,
    bad bigint NOT NULL,
    remaining_ratio double precision NOT NULL,
    told text,
    spent_told boolean NOT NULL,
    CONSTRAINT service_level_bad_check CHECK ((bad >= 0)),
    CONSTRAINT service_level_good_check CHECK ((good >= 0)),
    CONSTRAINT service_level_name_check CHECK ((name = ANY (ARRAY['FRESHNESS'::text, 'COMPLETENESS'::text, 'AVAILABILITY'::text]))),
    CONSTRAINT service_level_reason_of_no_data CHECK (((state = 'NO_DATA'::text) = (reason IS NOT NULL))),
    CONSTRAINT service_level_state_check CHECK ((state = ANY (ARRAY['OK'::text, 'BREACHED'::text, 'NO_DATA'::text]))),
    CONSTRAINT service_level_told_check CHECK ((told = ANY (ARRAY['breached'::text, 'restored'::text, 'no_data'::text])))
);

ALTER TABLE ONLY public.service_level FORCE ROW LEVEL SECURITY;

CREATE TABLE public.service_level_hour (
    topic_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    hour timestamp with time zone NOT NULL,
    good smallint NOT NULL,
    bad smallint NOT NULL,
    CONSTRAINT service_level_hour_bad_check CHECK ((bad >= 0)),
    CONSTRAINT service_level_hour_good_check CHECK ((good >= 0))
);

ALTER TABLE ONLY public.service_level_hour FORCE ROW LEVEL SECURITY;

CREATE TABLE public.service_quota (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    value bigint NOT NULL,
    CONSTRAINT service_quota_value_check CHECK ((value >= 0))
);

ALTER TABLE ONLY public.service_quota FORCE ROW LEVEL SECURITY;

CREATE TABLE public.session (
    id uuid NOT NULL,
    token_sha256 bytea NOT NULL,
    member_id uuid NOT NULL,
    email text NOT NULL,
    organization_id uuid,
    tenant_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.session FORCE ROW LEVEL SECURITY;

CREATE TABLE public.share (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    name text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    terms text DEFAULT ''::text NOT NULL,
    recipient jsonb NOT NULL,
    recipient_tenant_id uuid,
    token_sha256 bytea,
    token_expires_at timestamp with time zone,
    phase text DEFAULT 'INVITED'::text NOT NULL,
    fetch_bytes_per_second bigint,
    starts_at timestamp with time zone,
    expires_at timestamp with time zone,
    decided_at timestamp with time zone,
    terms_accepted_at timestamp with time zone,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    key_generation bigint DEFAULT 1 NOT NULL,
    CONSTRAINT share_ends_after_it_begins CHECK ((expires_at > starts_at)),
    CONSTRAINT share_fetch_bytes_per_second_check CHECK ((fetch_bytes_per_second > 0)),
    CONSTRAINT share_key_generation_check CHECK ((key_generation > 0)),
    CONSTRAINT share_phase_check CHECK ((phase = ANY (ARRAY['INVITED'::text, 'PREVIEWED'::text, 'ACTIVE'::text, 'DECLINED'::text, 'LEFT'::text, 'REVOKED'::text, 'EXPIRED'::text]))),
    CONSTRAINT share_to_another CHECK ((recipient_tenant_id <> tenant_id))
);

ALTER TABLE ONLY public.share FORCE ROW LEVEL SECURITY;

CREATE TABLE public.share_mount (
    topic_id uuid NOT NULL,
    share_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    consumer_tenant_id uuid NOT NULL,
    shown_topic_id uuid NOT NULL,
    shown_cluster_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    alias text NOT NULL,
    from_unix_ms bigint NOT NULL,
    mounted_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone
);

ALTER TABLE ONLY public.share_mount FORCE ROW LEVEL SECURITY;

CREATE TABLE public.share_price (
    share_id uuid NOT NULL,
    effective_from timestamp with time zone NOT NULL,
    tenant_id uuid NOT NULL,
    price jsonb,
    CONSTRAINT share_price_price_check CHECK ((jsonb_typeof(price) = 'object'::text))
);

ALTER TABLE ONLY public.share_price FORCE ROW LEVEL SECURITY;

CREATE TABLE public.share_topic (
    tenant_id uuid NOT NULL,
    share_id uuid NOT NULL,
    topic_id uuid NOT NULL,
    ordinal integer NOT NULL,
    alias text NOT NULL,
    contract_version integer,
    steps jsonb DEFAULT '[]'::jsonb NOT NULL,
    start jsonb NOT NULL,
    keys text,
    encryption text,
    CONSTRAINT share_topic_contract_version_check CHECK ((contract_version > 0)),
    CONSTRAINT share_topic_encryption_check CHECK ((encryption = 'WHOLE'::text)),
    CONSTRAINT share_topic_keys_check CHECK ((keys = ANY (ARRAY['SHOWN'::text, 'HASHED'::text, 'WITHHELD'::text])))
);

ALTER TABLE ONLY public.share_topic FORCE ROW LEVEL SECURITY;

CREATE TABLE public.sharing (
    tenant_id uuid NOT NULL,
    gives boolean NOT NULL,
    receives boolean NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.sharing FORCE ROW LEVEL SECURITY;

CREATE TABLE public.tenant (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    display_name text NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.tenant FORCE ROW LEVEL SECURITY;

CREATE TABLE public.token_key (
    id uuid NOT NULL,
    public_key bytea NOT NULL,
    sealed_private_key bytea NOT NULL,
    signs_from timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT token_key_public_key_check CHECK ((octet_length(public_key) = 65))
);

ALTER TABLE ONLY public.token_key FORCE ROW LEVEL SECURITY;

CREATE TABLE public.topic (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    name text NOT NULL,
    partitions integer NOT NULL,
    retention_ms bigint NOT NULL,
    retention_bytes bigint NOT NULL,
    cleanup_policy text NOT NULL,
    max_message_bytes integer NOT NULL,
    configs jsonb DEFAULT '{}'::jsonb NOT NULL,
    desired_n bigint DEFAULT 0 NOT NULL,
    deleted_at timestamp with time zone,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    adopted boolean DEFAULT false NOT NULL,
    changed_settings text[] DEFAULT '{}'::text[] NOT NULL,
    contract jsonb,
    dead_letter_topic_id uuid,
    mount_share_id uuid,
    mount_topic_id uuid,
    mirror_link_id uuid,
    mirror_source_topic_id uuid,
    mirror_source_name text,
    CONSTRAINT topic_cleanup_policy_check CHECK ((cleanup_policy = ANY (ARRAY['DELETE'::text, 'COMPACT'::text, 'COMPACT_DELETE'::text]))),
    CONSTRAINT topic_contract_form CHECK (((contract IS NULL) OR ((jsonb_typeof(contract) = 'object'::text) AND ((contract ->> 'enforcement'::text) = ANY (ARRAY['OFF'::text, 'SHADOW'::text, 'MARK'::text, 'DLQ'::text, 'REJECT'::text]))))),
    CONSTRAINT topic_dead_letter_topic_other CHECK (((dead_letter_topic_id IS NULL) OR ((dead_letter_topic_id <> id) AND (contract IS NOT NULL)))),
    CONSTRAINT topic_mirror_is_no_mount CHECK (((mirror_link_id IS NULL) OR (mount_topic_id IS NULL))),
    CONSTRAINT topic_mirror_promises_nothing CHECK (((mirror_link_id IS NULL) OR (contract IS NULL))),
    CONSTRAINT topic_mirror_whole CHECK ((num_nulls(mirror_link_id, mirror_source_topic_id, mirror_source_name) = ANY (ARRAY[0, 3]))),
    CONSTRAINT topic_mount_promises_nothing CHECK (((mount_topic_id IS NULL) OR (contract IS NULL))),
    CONSTRAINT topic_mount_whole CHECK (((mount_share_id IS NULL) = (mount_topic_id IS NULL))),
    CONSTRAINT topic_partitions_check CHECK (((partitions > 0) OR ((partitions = 0) AND (mount_topic_id IS NOT NULL))))
);

ALTER TABLE ONLY public.topic FORCE ROW LEVEL SECURITY;

CREATE TABLE public.usage_hour (
    tenant_id uuid NOT NULL,
    hour timestamp with time zone NOT NULL,
    cluster_id uuid NOT NULL,
    topic_id uuid NOT NULL,
    principal_id uuid NOT NULL,
    direction text NOT NULL,
    organization_id uuid,
    environment_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    bytes bigint NOT NULL,
    records bigint NOT NULL,
    requests bigint NOT NULL,
    uncertain_bytes bigint NOT NULL,
    CONSTRAINT usage_hour_direction_check CHECK ((direction = ANY (ARRAY['PRODUCE'::text, 'FETCH'::text])))
);

ALTER TABLE ONLY public.usage_hour FORCE ROW LEVEL SECURITY;

CREATE TABLE public.usage_progress (
    data_plane_id uuid NOT NULL,
    complete_until timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.usage_progress FORCE ROW LEVEL SECURITY;

CREATE TABLE public.usage_row (
    data_plane_id uuid NOT NULL,
    gateway_id text NOT NULL,
    boot bigint NOT NULL,
    sequence bigint NOT NULL,
    ordinal integer NOT NULL,
    organization_id uuid,
    tenant_id uuid NOT NULL,
    environment_id uuid NOT NULL,
    cluster_id uuid NOT NULL,
    topic_id uuid NOT NULL,
    principal_id uuid NOT NULL,
    direction text NOT NULL,
    uncertain boolean NOT NULL,
    hour timestamp with time zone NOT NULL,
    bytes bigint NOT NULL,
    records bigint NOT NULL,
    requests bigint NOT NULL,
    CONSTRAINT usage_row_bytes_check CHECK ((bytes >= 0)),
    CONSTRAINT usage_row_direction_check CHECK ((direction = ANY (ARRAY['PRODUCE'::text, 'FETCH'::text]))),
    CONSTRAINT usage_row_records_check CHECK ((records >= 0)),
    CONSTRAINT usage_row_requests_check CHECK ((requests >= 0))
);

ALTER TABLE ONLY public.usage_row FORCE ROW LEVEL SECURITY;

CREATE TABLE public.usage_window (
    data_plane_id uuid NOT NULL,
    gateway_id text NOT NULL,
    boot bigint NOT NULL,
    sequence bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.usage_window FORCE ROW LEVEL SECURITY;

ALTER TABLE ONLY public.access_request
    ADD CONSTRAINT access_request_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.alert_lag
    ADD CONSTRAINT alert_lag_pkey PRIMARY KEY (rule_id);

ALTER TABLE ONLY public.alert_rule
    ADD CONSTRAINT alert_rule_name_unique UNIQUE (tenant_id, cluster_id, name);

ALTER TABLE ONLY public.alert_rule
    ADD CONSTRAINT alert_rule_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.alert_rule
    ADD CONSTRAINT alert_rule_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.alert_state
    ADD CONSTRAINT alert_state_pkey PRIMARY KEY (rule_id);

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.audit_event
    ADD CONSTRAINT audit_event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.broker_pool
    ADD CONSTRAINT broker_pool_data_plane_id_id_key UNIQUE (data_plane_id, id);

ALTER TABLE ONLY public.broker_pool
    ADD CONSTRAINT broker_pool_name_unique UNIQUE (data_plane_id, name);

ALTER TABLE ONLY public.broker_pool
    ADD CONSTRAINT broker_pool_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.broker_pool
    ADD CONSTRAINT broker_pool_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.cluster
    ADD CONSTRAINT cluster_kafka_cluster_id_key UNIQUE (kafka_cluster_id);

ALTER TABLE ONLY public.cluster_link
    ADD CONSTRAINT cluster_link_name_unique UNIQUE (tenant_id, name);

ALTER TABLE ONLY public.cluster_link
    ADD CONSTRAINT cluster_link_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.cluster_link_status
    ADD CONSTRAINT cluster_link_status_pkey PRIMARY KEY (link_id, side);

ALTER TABLE ONLY public.cluster_link
    ADD CONSTRAINT cluster_link_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.cluster_link_topic_status
    ADD CONSTRAINT cluster_link_topic_status_pkey PRIMARY KEY (topic_id);

ALTER TABLE ONLY public.cluster
    ADD CONSTRAINT cluster_name_unique UNIQUE (environment_id, name);

ALTER TABLE ONLY public.cluster
    ADD CONSTRAINT cluster_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.cluster
    ADD CONSTRAINT cluster_tenant_id_data_plane_id_id_key UNIQUE (tenant_id, data_plane_id, id);

ALTER TABLE ONLY public.cluster
    ADD CONSTRAINT cluster_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.compute_budget
    ADD CONSTRAINT compute_budget_pkey PRIMARY KEY (compute_pool_id);

ALTER TABLE ONLY public.compute_pool
    ADD CONSTRAINT compute_pool_name_unique UNIQUE (tenant_id, name);

ALTER TABLE ONLY public.compute_pool
    ADD CONSTRAINT compute_pool_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.compute_pool
    ADD CONSTRAINT compute_pool_tenant_id_data_plane_id_id_key UNIQUE (tenant_id, data_plane_id, id);

ALTER TABLE ONLY public.compute_pool
    ADD CONSTRAINT compute_pool_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.compute_use
    ADD CONSTRAINT compute_use_pkey PRIMARY KEY (compute_pool_id, month, counter);

ALTER TABLE ONLY public.contract_config
    ADD CONSTRAINT contract_config_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.contract_config
    ADD CONSTRAINT contract_config_tenant_id_context_subject_key UNIQUE (tenant_id, context, subject);

ALTER TABLE ONLY public.contract_count
    ADD CONSTRAINT contract_count_pkey PRIMARY KEY (tenant_id, slot);

ALTER TABLE ONLY public.contract_finding
    ADD CONSTRAINT contract_finding_pkey PRIMARY KEY (contract_id, version, ordinal);

ALTER TABLE ONLY public.contract_judged
    ADD CONSTRAINT contract_judged_pkey PRIMARY KEY (topic_id, minute);

ALTER TABLE ONLY public.contract_lint_rule
    ADD CONSTRAINT contract_lint_rule_name_unique UNIQUE (tenant_id, display_name);

ALTER TABLE ONLY public.contract_lint_rule
    ADD CONSTRAINT contract_lint_rule_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.contract_lint_rule
    ADD CONSTRAINT contract_lint_rule_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.contract
    ADD CONSTRAINT contract_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.contract_reference
    ADD CONSTRAINT contract_reference_pkey PRIMARY KEY (contract_id, version, ordinal);

ALTER TABLE ONLY public.contract_schema
    ADD CONSTRAINT contract_schema_id_unique UNIQUE (tenant_id, schema_id, context);

ALTER TABLE ONLY public.contract_schema
    ADD CONSTRAINT contract_schema_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.contract_schema
    ADD CONSTRAINT contract_schema_tenant_id_context_content_sha256_key UNIQUE (tenant_id, context, content_sha256);

ALTER TABLE ONLY public.contract_schema
    ADD CONSTRAINT contract_schema_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.contract
    ADD CONSTRAINT contract_tenant_id_context_subject_key UNIQUE (tenant_id, context, subject);

ALTER TABLE ONLY public.contract
    ADD CONSTRAINT contract_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.contract_version
    ADD CONSTRAINT contract_version_pkey PRIMARY KEY (contract_id, version);

ALTER TABLE ONLY public.contract_version
    ADD CONSTRAINT contract_version_tenant_id_contract_id_version_key UNIQUE (tenant_id, contract_id, version);

ALTER TABLE ONLY public.contract_violation
    ADD CONSTRAINT contract_violation_pkey PRIMARY KEY (topic_id, minute, principal_id, part, contract_schema_id, kind, rule, enforcement);

ALTER TABLE ONLY public.data_plane_generation
    ADD CONSTRAINT data_plane_generation_pkey PRIMARY KEY (data_plane_id);

ALTER TABLE ONLY public.data_plane_grant
    ADD CONSTRAINT data_plane_grant_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.data_plane_key
    ADD CONSTRAINT data_plane_key_pkey PRIMARY KEY (data_plane_id);

ALTER TABLE ONLY public.data_plane_link
    ADD CONSTRAINT data_plane_link_key_unique UNIQUE (public_key_sha256);

ALTER TABLE ONLY public.data_plane_link
    ADD CONSTRAINT data_plane_link_pkey PRIMARY KEY (data_plane_id);

ALTER TABLE ONLY public.data_plane
    ADD CONSTRAINT data_plane_name_unique UNIQUE (tenant_id, name);

ALTER TABLE ONLY public.data_plane
    ADD CONSTRAINT data_plane_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.data_plane
    ADD CONSTRAINT data_plane_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.data_product
    ADD CONSTRAINT data_product_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.data_product_reader
    ADD CONSTRAINT data_product_reader_pkey PRIMARY KEY (data_product_id, reader_tenant_id);

ALTER TABLE ONLY public.data_product
    ADD CONSTRAINT data_product_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.data_product
    ADD CONSTRAINT data_product_topic_unique UNIQUE (topic_id);

ALTER TABLE ONLY public.desired_state
    ADD CONSTRAINT desired_state_pkey PRIMARY KEY (data_plane_id, epoch, n);

ALTER TABLE ONLY public.enrollment_token
    ADD CONSTRAINT enrollment_token_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.enrollment_token
    ADD CONSTRAINT enrollment_token_token_sha256_key UNIQUE (token_sha256);

ALTER TABLE ONLY public.environment
    ADD CONSTRAINT environment_name_unique UNIQUE (tenant_id, name);

ALTER TABLE ONLY public.environment
    ADD CONSTRAINT environment_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.environment
    ADD CONSTRAINT environment_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.event_head
    ADD CONSTRAINT event_head_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_position_key UNIQUE ("position");

ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (principal_id, key_sha256);

ALTER TABLE ONLY public.job_decision
    ADD CONSTRAINT job_decision_pkey PRIMARY KEY (job_id, at);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_name_unique UNIQUE (cluster_id, name);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.job_status
    ADD CONSTRAINT job_status_pkey PRIMARY KEY (job_id);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.job_topic
    ADD CONSTRAINT job_topic_pkey PRIMARY KEY (job_id, part, topic_id);

ALTER TABLE ONLY public.job_version
    ADD CONSTRAINT job_version_pkey PRIMARY KEY (job_id, version);

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.member
    ADD CONSTRAINT member_email_unique UNIQUE (email);

ALTER TABLE ONLY public.member
    ADD CONSTRAINT member_id_email_key UNIQUE (id, email);

ALTER TABLE ONLY public.member
    ADD CONSTRAINT member_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.object_status
    ADD CONSTRAINT object_status_pkey PRIMARY KEY (object_id);

ALTER TABLE ONLY public.organization
    ADD CONSTRAINT organization_name_unique UNIQUE (name);

ALTER TABLE ONLY public.organization
    ADD CONSTRAINT organization_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.quota
    ADD CONSTRAINT quota_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.quota_principal
    ADD CONSTRAINT quota_principal_pkey PRIMARY KEY (quota_id, service_account_id);

ALTER TABLE ONLY public.quota_principal
    ADD CONSTRAINT quota_principal_unique UNIQUE (cluster_id, subject, service_account_id);

ALTER TABLE ONLY public.quota_storage
    ADD CONSTRAINT quota_storage_pkey PRIMARY KEY (quota_id);

ALTER TABLE ONLY public.quota
    ADD CONSTRAINT quota_tenant_id_cluster_id_subject_id_key UNIQUE (tenant_id, cluster_id, subject, id);

ALTER TABLE ONLY public.quota
    ADD CONSTRAINT quota_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.quota_use
    ADD CONSTRAINT quota_use_pkey PRIMARY KEY (quota_id, ended_at, principal_id);

ALTER TABLE ONLY public.rate_card
    ADD CONSTRAINT rate_card_effective_unique UNIQUE NULLS NOT DISTINCT (organization_id, tenant_id, effective_from);

ALTER TABLE ONLY public.rate_card
    ADD CONSTRAINT rate_card_name_unique UNIQUE (name);

ALTER TABLE ONLY public.rate_card
    ADD CONSTRAINT rate_card_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.role_binding
    ADD CONSTRAINT role_binding_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.role_binding
    ADD CONSTRAINT role_binding_unique UNIQUE NULLS NOT DISTINCT (tenant_id, member_id, service_account_id, role, resource);

ALTER TABLE ONLY public.served_cluster
    ADD CONSTRAINT served_cluster_pkey PRIMARY KEY (cluster_id);

ALTER TABLE ONLY public.service_account
    ADD CONSTRAINT service_account_name_unique UNIQUE (tenant_id, name);

ALTER TABLE ONLY public.service_account
    ADD CONSTRAINT service_account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.service_account
    ADD CONSTRAINT service_account_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.service_level_hour
    ADD CONSTRAINT service_level_hour_pkey PRIMARY KEY (topic_id, name, hour);

ALTER TABLE ONLY public.service_level
    ADD CONSTRAINT service_level_pkey PRIMARY KEY (topic_id, name);

ALTER TABLE ONLY public.service_level
    ADD CONSTRAINT service_level_tenant_id_topic_id_name_key UNIQUE (tenant_id, topic_id, name);

ALTER TABLE ONLY public.service_quota
    ADD CONSTRAINT service_quota_pkey PRIMARY KEY (tenant_id, name);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_token_sha256_key UNIQUE (token_sha256);

ALTER TABLE ONLY public.share_mount
    ADD CONSTRAINT share_mount_pkey PRIMARY KEY (topic_id);

ALTER TABLE ONLY public.share
    ADD CONSTRAINT share_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.share_price
    ADD CONSTRAINT share_price_pkey PRIMARY KEY (share_id, effective_from);

ALTER TABLE ONLY public.share
    ADD CONSTRAINT share_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.share
    ADD CONSTRAINT share_token_sha256_key UNIQUE (token_sha256);

ALTER TABLE ONLY public.share_topic
    ADD CONSTRAINT share_topic_alias_unique UNIQUE (share_id, alias);

ALTER TABLE ONLY public.share_topic
    ADD CONSTRAINT share_topic_pkey PRIMARY KEY (share_id, topic_id);

ALTER TABLE ONLY public.sharing
    ADD CONSTRAINT sharing_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.tenant
    ADD CONSTRAINT tenant_name_unique UNIQUE (organization_id, name);

ALTER TABLE ONLY public.tenant
    ADD CONSTRAINT tenant_organization_id_id_key UNIQUE (organization_id, id);

ALTER TABLE ONLY public.tenant
    ADD CONSTRAINT tenant_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.token_key
    ADD CONSTRAINT token_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.topic
    ADD CONSTRAINT topic_in_cluster UNIQUE (tenant_id, cluster_id, id);

ALTER TABLE ONLY public.topic
    ADD CONSTRAINT topic_mirror_unique UNIQUE (cluster_id, mirror_source_topic_id);

ALTER TABLE ONLY public.topic
    ADD CONSTRAINT topic_mount_unique UNIQUE (cluster_id, mount_topic_id);

ALTER TABLE ONLY public.topic
    ADD CONSTRAINT topic_name_unique UNIQUE (cluster_id, name);

ALTER TABLE ONLY public.topic
    ADD CONSTRAINT topic_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.topic
    ADD CONSTRAINT topic_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.usage_hour
    ADD CONSTRAINT usage_hour_pkey PRIMARY KEY (tenant_id, hour, cluster_id, topic_id, principal_id, direction);

ALTER TABLE ONLY public.usage_progress
    ADD CONSTRAINT usage_progress_pkey PRIMARY KEY (data_plane_id);

ALTER TABLE ONLY public.usage_row
    ADD CONSTRAINT usage_row_pkey PRIMARY KEY (data_plane_id, gateway_id, boot, sequence, ordinal);

ALTER TABLE ONLY public.usage_window
    ADD CONSTRAINT usage_window_pkey PRIMARY KEY (data_plane_id, gateway_id, boot, sequence);

CREATE INDEX access_request_ending ON public.access_request USING btree (expires_at) WHERE (phase = 'PENDING'::text);

CREATE UNIQUE INDEX access_request_open ON public.access_request USING btree (requester_tenant_id, data_product_id) WHERE (phase = 'PENDING'::text);

CREATE INDEX access_request_product ON public.access_request USING btree (tenant_id, data_product_id);

CREATE INDEX access_request_received ON public.access_request USING btree (tenant_id, id);

CREATE INDEX access_request_sent ON public.access_request USING btree (requester_tenant_id, created_at);

CREATE INDEX alert_rule_cluster ON public.alert_rule USING btree (cluster_id);

CREATE INDEX api_key_data_plane ON public.api_key USING btree (data_plane_id, id);

CREATE UNIQUE INDEX api_key_public_key_unique ON public.api_key USING btree (cluster_id, public_key_sha256) WHERE (public_key_sha256 IS NOT NULL);

CREATE INDEX api_key_service_account ON public.api_key USING btree (service_account_id);

CREATE INDEX api_key_tenant ON public.api_key USING btree (tenant_id, id);

CREATE INDEX audit_event_organization ON public.audit_event USING btree (organization_id, id);

CREATE INDEX audit_event_tenant ON public.audit_event USING btree (tenant_id, id);

CREATE INDEX cluster_data_plane ON public.cluster USING btree (data_plane_id, tenant_id);

CREATE INDEX cluster_link_service_account ON public.cluster_link USING btree (service_account_id);

CREATE INDEX cluster_link_source ON public.cluster_link USING btree (source_data_plane_id, source_cluster_id);

CREATE INDEX cluster_link_source_cluster ON public.cluster_link USING btree (source_cluster_id);

CREATE INDEX cluster_link_target ON public.cluster_link USING btree (target_data_plane_id, target_cluster_id);

CREATE INDEX cluster_link_topic_status_link ON public.cluster_link_topic_status USING btree (link_id);

CREATE UNIQUE INDEX cluster_own_names_unique ON public.cluster USING btree (broker_pool_id) WHERE (adopts OR (access = 'NATIVE'::text));

CREATE INDEX cluster_pool ON public.cluster USING btree (broker_pool_id);

CREATE INDEX compute_pool_data_plane ON public.compute_pool USING btree (data_plane_id, id);

CREATE INDEX contract_config_environment ON public.contract_config USING btree (environment_id);

CREATE INDEX contract_environment ON public.contract USING btree (environment_id);

CREATE INDEX contract_judged_tenant ON public.contract_judged USING btree (tenant_id, minute);

CREATE INDEX contract_lint_rule_environment ON public.contract_lint_rule USING btree (environment_id);

CREATE INDEX contract_reference_to ON public.contract_reference USING btree (to_contract_id, to_version);

CREATE INDEX contract_schema_environment ON public.contract_schema USING btree (environment_id);

CREATE INDEX contract_schema_guid ON public.contract_schema USING btree (tenant_id, guid);

CREATE INDEX contract_schema_promises ON public.contract_schema USING btree (tenant_id) WHERE ((metadata -> 'properties'::text) ?| '{service_level.freshness,service_level.completeness,service_level.availability}'::text[]);

CREATE INDEX contract_schema_text ON public.contract_schema USING btree (tenant_id, text_sha256);

CREATE INDEX contract_version_schema ON public.contract_version USING btree (contract_schema_id, contract_id);

CREATE INDEX contract_violation_tenant ON public.contract_violation USING btree (tenant_id, minute);

CREATE INDEX data_plane_grant_guest ON public.data_plane_grant USING btree (guest_tenant_id, id);

CREATE UNIQUE INDEX data_plane_grant_unique ON public.data_plane_grant USING btree (broker_pool_id, guest_tenant_id) WHERE (phase = ANY (ARRAY['OFFERED'::text, 'ACTIVE'::text]));

CREATE INDEX data_product_public ON public.data_product USING btree (id) WHERE ((visibility = 'PUBLIC'::text) AND given);

CREATE INDEX data_product_reader_reader ON public.data_product_reader USING btree (reader_tenant_id, data_product_id);

CREATE INDEX enrollment_token_data_plane ON public.enrollment_token USING btree (data_plane_id);

CREATE INDEX event_tenant ON public.event USING btree (tenant_id, "position");

CREATE INDEX event_unnumbered ON public.event USING btree (id) WHERE ("position" IS NULL);

CREATE INDEX idempotency_created ON public.idempotency USING btree (created_at);

CREATE INDEX job_compute_pool ON public.job USING btree (compute_pool_id, id);

CREATE INDEX job_data_plane ON public.job USING btree (data_plane_id, id);

CREATE INDEX job_service_account ON public.job USING btree (service_account_id);

CREATE INDEX job_status_data_plane ON public.job_status USING btree (data_plane_id);

CREATE INDEX job_tenant ON public.job USING btree (tenant_id, id);

CREATE INDEX job_topic_topic ON public.job_topic USING btree (topic_id);

CREATE INDEX member_tenant ON public.member USING btree (tenant_id, id);

CREATE INDEX object_status_data_plane ON public.object_status USING btree (data_plane_id);

CREATE INDEX object_status_tenant ON public.object_status USING btree (tenant_id);

CREATE INDEX quota_data_plane ON public.quota USING btree (data_plane_id, id);

CREATE INDEX quota_principal_service_account ON public.quota_principal USING btree (service_account_id);

CREATE UNIQUE INDEX quota_subject_unique ON public.quota USING btree (cluster_id, subject) WHERE (subject = ANY (ARRAY['DEFAULT'::text, 'TENANT'::text]));

CREATE INDEX quota_tenant ON public.quota USING btree (tenant_id, id);

CREATE INDEX role_binding_member ON public.role_binding USING btree (member_id);

CREATE INDEX role_binding_service_account ON public.role_binding USING btree (service_account_id);

CREATE INDEX role_binding_tenant ON public.role_binding USING btree (tenant_id, id);

CREATE INDEX served_cluster_data_plane ON public.served_cluster USING btree (data_plane_id);

CREATE INDEX service_level_hour_tenant ON public.service_level_hour USING btree (tenant_id, hour);

CREATE INDEX session_member ON public.session USING btree (member_id);

CREATE INDEX share_cluster ON public.share USING btree (tenant_id, cluster_id);

CREATE INDEX share_ending ON public.share USING btree (expires_at) WHERE ((phase = ANY (ARRAY['INVITED'::text, 'PREVIEWED'::text, 'ACTIVE'::text])) AND (expires_at IS NOT NULL));

CREATE INDEX share_mount_consumer ON public.share_mount USING btree (consumer_tenant_id);

CREATE INDEX share_mount_provider ON public.share_mount USING btree (tenant_id);

CREATE INDEX share_mount_share ON public.share_mount USING btree (share_id);

CREATE UNIQUE INDEX share_name_unique ON public.share USING btree (tenant_id, name) WHERE (phase = ANY (ARRAY['INVITED'::text, 'PREVIEWED'::text, 'ACTIVE'::text]));

CREATE INDEX share_recipient ON public.share USING btree (recipient_tenant_id, id);

CREATE INDEX share_topic_topic ON public.share_topic USING btree (tenant_id, topic_id);

CREATE INDEX topic_data_plane ON public.topic USING btree (data_plane_id, id);

CREATE INDEX topic_dead_letter_topic ON public.topic USING btree (dead_letter_topic_id) WHERE (dead_letter_topic_id IS NOT NULL);

CREATE INDEX topic_mirror_link ON public.topic USING btree (mirror_link_id) WHERE (mirror_link_id IS NOT NULL);

CREATE INDEX topic_mirror_source ON public.topic USING btree (mirror_source_topic_id) WHERE (mirror_source_topic_id IS NOT NULL);

CREATE INDEX topic_mount_shown ON public.topic USING btree (mount_topic_id) WHERE (mount_topic_id IS NOT NULL);

CREATE INDEX topic_tenant ON public.topic USING btree (tenant_id, id);

CREATE INDEX topic_under_contract ON public.topic USING btree (tenant_id) WHERE (contract IS NOT NULL);

CREATE INDEX usage_hour_hour ON public.usage_hour USING btree (hour);

CREATE INDEX usage_row_tenant ON public.usage_row USING btree (tenant_id, hour);

CREATE INDEX usage_window_received ON public.usage_window USING btree (received_at);

CREATE TRIGGER api_key_forget AFTER DELETE OR UPDATE OF tenant_id, service_account_id, cluster_id, data_plane_id, secret_sha256, expires_at ON public.api_key FOR EACH ROW EXECUTE FUNCTION public.tell_forget('weir_rights');

CREATE TRIGGER cluster_forget AFTER DELETE OR UPDATE OF tenant_id, environment_id ON public.cluster FOR EACH ROW EXECUTE FUNCTION public.tell_forget('weir_rights');

CREATE CONSTRAINT TRIGGER contract_config_counted AFTER INSERT OR DELETE OR UPDATE OF config ON public.contract_config DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.count_contract_config();

CREATE CONSTRAINT TRIGGER contract_schema_counted AFTER INSERT OR DELETE OR UPDATE OF text, schema_references, metadata, rule_set ON public.contract_schema DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.count_contract_schema();

CREATE TRIGGER contract_schema_forget AFTER DELETE OR UPDATE ON public.contract_schema FOR EACH ROW EXECUTE FUNCTION public.tell_forget('weir_schemas');

CREATE CONSTRAINT TRIGGER contract_version_counted AFTER INSERT OR DELETE ON public.contract_version DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.count_contract_version();

CREATE TRIGGER environment_forget AFTER DELETE OR UPDATE OF tenant_id, name ON public.environment FOR EACH ROW EXECUTE FUNCTION public.tell_forget('weir_rights');

CREATE TRIGGER environment_schemas_forget AFTER DELETE OR UPDATE OF tenant_id, name ON public.environment FOR EACH ROW EXECUTE FUNCTION public.tell_forget('weir_schemas');

CREATE TRIGGER role_binding_forget AFTER INSERT OR DELETE OR UPDATE OF tenant_id, member_id, service_account_id, role, resource ON public.role_binding FOR EACH ROW EXECUTE FUNCTION public.tell_forget('weir_rights');

CREATE TRIGGER service_account_forget AFTER DELETE OR UPDATE OF tenant_id ON public.service_account FOR EACH ROW EXECUTE FUNCTION public.tell_forget('weir_rights');

CREATE TRIGGER tenant_forget AFTER DELETE OR UPDATE OF organization_id ON public.tenant FOR EACH ROW EXECUTE FUNCTION public.tell_forget('weir_rights');

ALTER TABLE ONLY public.access_request
    ADD CONSTRAINT access_request_requester_tenant_id_fkey FOREIGN KEY (requester_tenant_id) REFERENCES public.tenant(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.access_request
    ADD CONSTRAINT access_request_tenant_id_data_product_id_fkey FOREIGN KEY (tenant_id, data_product_id) REFERENCES public.data_product(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.alert_lag
    ADD CONSTRAINT alert_lag_tenant_id_rule_id_fkey FOREIGN KEY (tenant_id, rule_id) REFERENCES public.alert_rule(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.alert_rule
    ADD CONSTRAINT alert_rule_cluster_exists FOREIGN KEY (tenant_id, cluster_id) REFERENCES public.cluster(tenant_id, id);

ALTER TABLE ONLY public.alert_state
    ADD CONSTRAINT alert_state_tenant_id_rule_id_fkey FOREIGN KEY (tenant_id, rule_id) REFERENCES public.alert_rule(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_cluster_exists FOREIGN KEY (tenant_id, data_plane_id, cluster_id) REFERENCES public.cluster(tenant_id, data_plane_id, id);

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_service_account_exists FOREIGN KEY (tenant_id, service_account_id) REFERENCES public.service_account(tenant_id, id);

ALTER TABLE ONLY public.broker_pool
    ADD CONSTRAINT broker_pool_data_plane_exists FOREIGN KEY (tenant_id, data_plane_id) REFERENCES public.data_plane(tenant_id, id);

ALTER TABLE ONLY public.cluster
    ADD CONSTRAINT cluster_environment_exists FOREIGN KEY (tenant_id, environment_id) REFERENCES public.environment(tenant_id, id);

ALTER TABLE ONLY public.cluster_link
    ADD CONSTRAINT cluster_link_service_account_exists FOREIGN KEY (tenant_id, service_account_id) REFERENCES public.service_account(tenant_id, id);

ALTER TABLE ONLY public.cluster_link
    ADD CONSTRAINT cluster_link_source_exists FOREIGN KEY (tenant_id, source_data_plane_id, source_cluster_id) REFERENCES public.cluster(tenant_id, data_plane_id, id);

ALTER TABLE ONLY public.cluster_link_status
    ADD CONSTRAINT cluster_link_status_tenant_id_link_id_fkey FOREIGN KEY (tenant_id, link_id) REFERENCES public.cluster_link(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.cluster_link
    ADD CONSTRAINT cluster_link_target_exists FOREIGN KEY (tenant_id, target_data_plane_id, target_cluster_id) REFERENCES public.cluster(tenant_id, data_plane_id, id);

ALTER TABLE ONLY public.cluster_link_topic_status
    ADD CONSTRAINT cluster_link_topic_status_tenant_id_link_id_fkey FOREIGN KEY (tenant_id, link_id) REFERENCES public.cluster_link(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.cluster_link_topic_status
    ADD CONSTRAINT cluster_link_topic_status_tenant_id_topic_id_fkey FOREIGN KEY (tenant_id, topic_id) REFERENCES public.topic(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.cluster
    ADD CONSTRAINT cluster_pool_exists FOREIGN KEY (data_plane_id, broker_pool_id) REFERENCES public.broker_pool(data_plane_id, id);

ALTER TABLE ONLY public.compute_budget
    ADD CONSTRAINT compute_budget_tenant_id_compute_pool_id_fkey FOREIGN KEY (tenant_id, compute_pool_id) REFERENCES public.compute_pool(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.compute_pool
    ADD CONSTRAINT compute_pool_data_plane_exists FOREIGN KEY (data_plane_id) REFERENCES public.data_plane(id);

ALTER TABLE ONLY public.compute_pool
    ADD CONSTRAINT compute_pool_tenant_exists FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.compute_use
    ADD CONSTRAINT compute_use_tenant_id_compute_pool_id_fkey FOREIGN KEY (tenant_id, compute_pool_id) REFERENCES public.compute_pool(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contract_config
    ADD CONSTRAINT contract_config_environment_exists FOREIGN KEY (tenant_id, environment_id) REFERENCES public.environment(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contract_config
    ADD CONSTRAINT contract_config_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contract_count
    ADD CONSTRAINT contract_count_tenant_exists FOREIGN KEY (tenant_id) REFERENCES public.tenant(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contract
    ADD CONSTRAINT contract_environment_exists FOREIGN KEY (tenant_id, environment_id) REFERENCES public.environment(tenant_id, id);

ALTER TABLE ONLY public.contract_finding
    ADD CONSTRAINT contract_finding_tenant_id_contract_id_version_fkey FOREIGN KEY (tenant_id, contract_id, version) REFERENCES public.contract_version(tenant_id, contract_id, version) ON DELETE CASCADE;

ALTER TABLE ONLY public.contract_judged
    ADD CONSTRAINT contract_judged_topic_id_fkey FOREIGN KEY (topic_id) REFERENCES public.topic(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contract_lint_rule
    ADD CONSTRAINT contract_lint_rule_environment_exists FOREIGN KEY (tenant_id, environment_id) REFERENCES public.environment(tenant_id, id);

ALTER TABLE ONLY public.contract_lint_rule
    ADD CONSTRAINT contract_lint_rule_tenant_exists FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.contract_reference
    ADD CONSTRAINT contract_reference_tenant_id_contract_id_version_fkey FOREIGN KEY (tenant_id, contract_id, version) REFERENCES public.contract_version(tenant_id, contract_id, version) ON DELETE CASCADE;

ALTER TABLE ONLY public.contract_schema
    ADD CONSTRAINT contract_schema_environment_exists FOREIGN KEY (tenant_id, environment_id) REFERENCES public.environment(tenant_id, id);

ALTER TABLE ONLY public.contract_schema
    ADD CONSTRAINT contract_schema_tenant_exists FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.contract
    ADD CONSTRAINT contract_tenant_exists FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.contract_version
    ADD CONSTRAINT contract_version_tenant_id_contract_id_fkey FOREIGN KEY (tenant_id, contract_id) REFERENCES public.contract(tenant_id, id);

ALTER TABLE ONLY public.contract_version
    ADD CONSTRAINT contract_version_tenant_id_contract_schema_id_fkey FOREIGN KEY (tenant_id, contract_schema_id) REFERENCES public.contract_schema(tenant_id, id);

ALTER TABLE ONLY public.contract_violation
    ADD CONSTRAINT contract_violation_topic_id_fkey FOREIGN KEY (topic_id) REFERENCES public.topic(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.data_plane_generation
    ADD CONSTRAINT data_plane_generation_data_plane_id_fkey FOREIGN KEY (data_plane_id) REFERENCES public.data_plane(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.data_plane_grant
    ADD CONSTRAINT data_plane_grant_guest_exists FOREIGN KEY (guest_tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.data_plane_grant
    ADD CONSTRAINT data_plane_grant_pool_exists FOREIGN KEY (tenant_id, broker_pool_id) REFERENCES public.broker_pool(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.data_plane_key
    ADD CONSTRAINT data_plane_key_data_plane_id_fkey FOREIGN KEY (data_plane_id) REFERENCES public.data_plane(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.data_plane_link
    ADD CONSTRAINT data_plane_link_tenant_id_data_plane_id_fkey FOREIGN KEY (tenant_id, data_plane_id) REFERENCES public.data_plane(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.data_plane
    ADD CONSTRAINT data_plane_tenant_exists FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.data_product_reader
    ADD CONSTRAINT data_product_reader_exists FOREIGN KEY (reader_tenant_id) REFERENCES public.tenant(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.data_product_reader
    ADD CONSTRAINT data_product_reader_tenant_id_data_product_id_fkey FOREIGN KEY (tenant_id, data_product_id) REFERENCES public.data_product(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.data_product
    ADD CONSTRAINT data_product_tenant_id_topic_id_fkey FOREIGN KEY (tenant_id, topic_id) REFERENCES public.topic(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.desired_state
    ADD CONSTRAINT desired_state_data_plane_id_fkey FOREIGN KEY (data_plane_id) REFERENCES public.data_plane(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.enrollment_token
    ADD CONSTRAINT enrollment_token_tenant_id_data_plane_id_fkey FOREIGN KEY (tenant_id, data_plane_id) REFERENCES public.data_plane(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.environment
    ADD CONSTRAINT environment_tenant_exists FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_cluster_exists FOREIGN KEY (tenant_id, data_plane_id, cluster_id) REFERENCES public.cluster(tenant_id, data_plane_id, id);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_compute_pool_exists FOREIGN KEY (tenant_id, data_plane_id, compute_pool_id) REFERENCES public.compute_pool(tenant_id, data_plane_id, id);

ALTER TABLE ONLY public.job_decision
    ADD CONSTRAINT job_decision_tenant_id_job_id_fkey FOREIGN KEY (tenant_id, job_id) REFERENCES public.job(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_service_account_exists FOREIGN KEY (tenant_id, service_account_id) REFERENCES public.service_account(tenant_id, id);

ALTER TABLE ONLY public.job_status
    ADD CONSTRAINT job_status_tenant_id_job_id_fkey FOREIGN KEY (tenant_id, job_id) REFERENCES public.job(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.job_topic
    ADD CONSTRAINT job_topic_exists FOREIGN KEY (tenant_id, topic_id) REFERENCES public.topic(tenant_id, id);

ALTER TABLE ONLY public.job_topic
    ADD CONSTRAINT job_topic_tenant_id_job_id_fkey FOREIGN KEY (tenant_id, job_id) REFERENCES public.job(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.job_version
    ADD CONSTRAINT job_version_tenant_id_job_id_fkey FOREIGN KEY (tenant_id, job_id) REFERENCES public.job(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.member
    ADD CONSTRAINT member_organization_exists FOREIGN KEY (organization_id) REFERENCES public.organization(id);

ALTER TABLE ONLY public.member
    ADD CONSTRAINT member_tenant_exists FOREIGN KEY (organization_id, tenant_id) REFERENCES public.tenant(organization_id, id);

ALTER TABLE ONLY public.object_status
    ADD CONSTRAINT object_status_data_plane_id_fkey FOREIGN KEY (data_plane_id) REFERENCES public.data_plane(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.object_status
    ADD CONSTRAINT object_status_tenant_exists FOREIGN KEY (tenant_id) REFERENCES public.tenant(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.quota
    ADD CONSTRAINT quota_cluster_exists FOREIGN KEY (tenant_id, data_plane_id, cluster_id) REFERENCES public.cluster(tenant_id, data_plane_id, id);

ALTER TABLE ONLY public.quota_principal
    ADD CONSTRAINT quota_principal_quota_exists FOREIGN KEY (tenant_id, cluster_id, subject, quota_id) REFERENCES public.quota(tenant_id, cluster_id, subject, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.quota_principal
    ADD CONSTRAINT quota_principal_service_account_exists FOREIGN KEY (tenant_id, service_account_id) REFERENCES public.service_account(tenant_id, id);

ALTER TABLE ONLY public.quota_storage
    ADD CONSTRAINT quota_storage_quota_id_fkey FOREIGN KEY (quota_id) REFERENCES public.quota(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.quota_use
    ADD CONSTRAINT quota_use_quota_id_fkey FOREIGN KEY (quota_id) REFERENCES public.quota(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.rate_card
    ADD CONSTRAINT rate_card_organization_exists FOREIGN KEY (organization_id) REFERENCES public.organization(id);

ALTER TABLE ONLY public.rate_card
    ADD CONSTRAINT rate_card_tenant_exists FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.role_binding
    ADD CONSTRAINT role_binding_member_exists FOREIGN KEY (member_id) REFERENCES public.member(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.role_binding
    ADD CONSTRAINT role_binding_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);

ALTER TABLE ONLY public.role_binding
    ADD CONSTRAINT role_binding_service_account_exists FOREIGN KEY (tenant_id, service_account_id) REFERENCES public.service_account(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.role_binding
    ADD CONSTRAINT role_binding_tenant_exists FOREIGN KEY (organization_id, tenant_id) REFERENCES public.tenant(organization_id, id);

ALTER TABLE ONLY public.service_account
    ADD CONSTRAINT service_account_tenant_exists FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.service_level_hour
    ADD CONSTRAINT service_level_hour_tenant_id_topic_id_name_fkey FOREIGN KEY (tenant_id, topic_id, name) REFERENCES public.service_level(tenant_id, topic_id, name) ON DELETE CASCADE;

ALTER TABLE ONLY public.service_level
    ADD CONSTRAINT service_level_tenant_id_topic_id_fkey FOREIGN KEY (tenant_id, topic_id) REFERENCES public.topic(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.service_quota
    ADD CONSTRAINT service_quota_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_member_id_email_fkey FOREIGN KEY (member_id, email) REFERENCES public.member(id, email) ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE ONLY public.share
    ADD CONSTRAINT share_cluster_exists FOREIGN KEY (tenant_id, cluster_id) REFERENCES public.cluster(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.share
    ADD CONSTRAINT share_recipient_exists FOREIGN KEY (recipient_tenant_id) REFERENCES public.tenant(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.share_topic
    ADD CONSTRAINT share_topic_exists FOREIGN KEY (tenant_id, topic_id) REFERENCES public.topic(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.share_topic
    ADD CONSTRAINT share_topic_tenant_id_share_id_fkey FOREIGN KEY (tenant_id, share_id) REFERENCES public.share(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sharing
    ADD CONSTRAINT sharing_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tenant
    ADD CONSTRAINT tenant_organization_exists FOREIGN KEY (organization_id) REFERENCES public.organization(id);

ALTER TABLE ONLY public.topic
    ADD CONSTRAINT topic_cluster_exists FOREIGN KEY (tenant_id, data_plane_id, cluster_id) REFERENCES public.cluster(tenant_id, data_plane_id, id);

ALTER TABLE ONLY public.topic
    ADD CONSTRAINT topic_dead_letter_topic_exists FOREIGN KEY (tenant_id, cluster_id, dead_letter_topic_id) REFERENCES public.topic(tenant_id, cluster_id, id) ON DELETE SET NULL (dead_letter_topic_id);

ALTER TABLE ONLY public.topic
    ADD CONSTRAINT topic_mirror_link_exists FOREIGN KEY (tenant_id, mirror_link_id) REFERENCES public.cluster_link(tenant_id, id);

ALTER TABLE ONLY public.topic
    ADD CONSTRAINT topic_mirror_source_exists FOREIGN KEY (tenant_id, mirror_source_topic_id) REFERENCES public.topic(tenant_id, id);

ALTER TABLE ONLY public.topic
    ADD CONSTRAINT topic_mount_shared FOREIGN KEY (mount_share_id, mount_topic_id) REFERENCES public.share_topic(share_id, topic_id);

ALTER TABLE ONLY public.usage_progress
    ADD CONSTRAINT usage_progress_data_plane_id_fkey FOREIGN KEY (data_plane_id) REFERENCES public.data_plane(id) ON DELETE CASCADE;

ALTER TABLE public.access_request ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.alert_lag ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.alert_rule ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.alert_state ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.api_key ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.audit_event ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.broker_pool ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.cluster ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.cluster_link ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.cluster_link_status ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.cluster_link_topic_status ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.compute_budget ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.compute_pool ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.compute_use ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contract ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contract_config ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contract_count ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contract_finding ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contract_judged ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contract_lint_rule ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contract_reference ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contract_schema ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contract_version ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contract_violation ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.data_plane ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.data_plane_generation ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.data_plane_grant ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.data_plane_key ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.data_plane_link ENABLE ROW LEVEL SECURITY;

CREATE POLICY data_plane_scope ON public.alert_lag USING (((rule_id, tenant_id) IN ( SELECT alert_rule.id,
    alert_rule.tenant_id
   FROM public.alert_rule
  WHERE (alert_rule.cluster_id IN ( SELECT cluster.id
           FROM public.cluster
          WHERE (cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))))));

CREATE POLICY data_plane_scope ON public.alert_rule FOR SELECT USING ((cluster_id IN ( SELECT cluster.id
   FROM public.cluster
  WHERE (cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.api_key FOR SELECT USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.broker_pool USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.cluster USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.cluster_link FOR SELECT USING (((source_data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)) OR (target_data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane))));

CREATE POLICY data_plane_scope ON public.cluster_link_status USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.cluster_link_topic_status USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.compute_budget FOR SELECT USING ((compute_pool_id IN ( SELECT compute_pool.id
   FROM public.compute_pool
  WHERE (compute_pool.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.compute_pool USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.compute_use USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.contract FOR SELECT USING ((tenant_id IN ( SELECT cluster.tenant_id
   FROM public.cluster
  WHERE (cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.contract_judged USING (((topic_id, tenant_id) IN ( SELECT topic.id,
    topic.tenant_id
   FROM public.topic
  WHERE (topic.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.contract_reference FOR SELECT USING ((tenant_id IN ( SELECT cluster.tenant_id
   FROM public.cluster
  WHERE (cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.contract_schema FOR SELECT USING ((tenant_id IN ( SELECT cluster.tenant_id
   FROM public.cluster
  WHERE (cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.contract_version FOR SELECT USING ((tenant_id IN ( SELECT cluster.tenant_id
   FROM public.cluster
  WHERE (cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.contract_violation USING (((topic_id, tenant_id) IN ( SELECT topic.id,
    topic.tenant_id
   FROM public.topic
  WHERE (topic.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.data_plane FOR SELECT USING ((id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.data_plane_generation FOR SELECT USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.data_plane_key FOR SELECT USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.data_plane_link USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.desired_state USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.enrollment_token USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.environment FOR SELECT USING ((tenant_id IN ( SELECT cluster.tenant_id
   FROM public.cluster
  WHERE (cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.job USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.job_decision USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.job_status USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.job_topic FOR SELECT USING ((job_id IN ( SELECT job.id
   FROM public.job
  WHERE (job.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.job_version FOR SELECT USING ((job_id IN ( SELECT job.id
   FROM public.job
  WHERE (job.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.object_status USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.quota FOR SELECT USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.quota_principal FOR SELECT USING ((cluster_id IN ( SELECT cluster.id
   FROM public.cluster
  WHERE (cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.quota_storage USING (((quota_id, tenant_id) IN ( SELECT quota.id,
    quota.tenant_id
   FROM public.quota
  WHERE (quota.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.quota_use USING (((quota_id, tenant_id) IN ( SELECT quota.id,
    quota.tenant_id
   FROM public.quota
  WHERE (quota.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.role_binding FOR SELECT USING ((tenant_id IN ( SELECT cluster.tenant_id
   FROM public.cluster
  WHERE (cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.served_cluster USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.share FOR SELECT USING ((cluster_id IN ( SELECT cluster.id
   FROM public.cluster
  WHERE (cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.share_mount FOR SELECT USING ((cluster_id IN ( SELECT cluster.id
   FROM public.cluster
  WHERE (cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.share_topic FOR SELECT USING ((share_id IN ( SELECT share.id
   FROM public.share
  WHERE (share.cluster_id IN ( SELECT cluster.id
           FROM public.cluster
          WHERE (cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))))));

CREATE POLICY data_plane_scope ON public.tenant FOR SELECT USING ((id IN ( SELECT served_cluster.tenant_id
   FROM public.served_cluster
  WHERE (served_cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_scope ON public.token_key FOR SELECT USING ((( SELECT public.app_data_plane() AS app_data_plane) IN ( SELECT data_plane.id
   FROM public.data_plane)));

CREATE POLICY data_plane_scope ON public.topic USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.usage_hour USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane))) WITH CHECK (((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)) AND ((cluster_id, tenant_id) IN ( SELECT served_cluster.cluster_id,
    served_cluster.tenant_id
   FROM public.served_cluster
  WHERE (served_cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane))))));

CREATE POLICY data_plane_scope ON public.usage_progress USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_scope ON public.usage_row USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane))) WITH CHECK (((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)) AND ((cluster_id, tenant_id) IN ( SELECT served_cluster.cluster_id,
    served_cluster.tenant_id
   FROM public.served_cluster
  WHERE (served_cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane))))));

CREATE POLICY data_plane_scope ON public.usage_window USING ((data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)));

CREATE POLICY data_plane_writes ON public.audit_event FOR INSERT WITH CHECK ((tenant_id IN ( SELECT data_plane.tenant_id
   FROM public.data_plane
  WHERE (data_plane.id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY data_plane_writes ON public.event FOR INSERT WITH CHECK (((tenant_id IN ( SELECT cluster.tenant_id
   FROM public.cluster
  WHERE (cluster.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))) OR (tenant_id IN ( SELECT data_plane.tenant_id
   FROM public.data_plane
  WHERE (data_plane.id = ( SELECT public.app_data_plane() AS app_data_plane)))) OR (tenant_id IN ( SELECT compute_pool.tenant_id
   FROM public.compute_pool
  WHERE (compute_pool.data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane))))));

ALTER TABLE public.data_product ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.data_product_reader ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.desired_state ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.enrollment_token ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.environment ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.event ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.event_head ENABLE ROW LEVEL SECURITY;

CREATE POLICY guest_answers ON public.data_plane_grant FOR UPDATE USING ((guest_tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY guest_scope ON public.broker_pool FOR SELECT USING ((id IN ( SELECT data_plane_grant.broker_pool_id
   FROM public.data_plane_grant
  WHERE ((data_plane_grant.guest_tenant_id = ( SELECT public.app_tenant() AS app_tenant)) AND (data_plane_grant.phase = 'ACTIVE'::text)))));

CREATE POLICY guest_scope ON public.data_plane_grant FOR SELECT USING ((guest_tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY guest_scope ON public.data_plane_key FOR SELECT USING ((data_plane_id IN ( SELECT cluster.data_plane_id
   FROM public.cluster
  WHERE (cluster.tenant_id = ( SELECT public.app_tenant() AS app_tenant)))));

CREATE POLICY guest_scope ON public.object_status FOR SELECT USING ((object_id IN ( SELECT data_plane_grant.broker_pool_id
   FROM public.data_plane_grant
  WHERE ((data_plane_grant.guest_tenant_id = ( SELECT public.app_tenant() AS app_tenant)) AND (data_plane_grant.phase = 'ACTIVE'::text)))));

ALTER TABLE public.idempotency ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.job ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.job_decision ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.job_status ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.job_topic ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.job_version ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.lease ENABLE ROW LEVEL SECURITY;

CREATE POLICY listed_scope ON public.data_product FOR SELECT USING (((visibility = 'LISTED'::text) AND given AND (id IN ( SELECT data_product_reader.data_product_id
   FROM public.data_product_reader
  WHERE (data_product_reader.reader_tenant_id = ( SELECT public.app_tenant() AS app_tenant))))));

CREATE POLICY lookup_scope ON public.api_key FOR SELECT USING ((id = ( SELECT public.app_lookup_id() AS app_lookup_id)));

CREATE POLICY lookup_scope ON public.data_plane_link FOR SELECT USING ((public_key_sha256 = ( SELECT public.app_lookup_hash() AS app_lookup_hash)));

CREATE POLICY lookup_scope ON public.enrollment_token USING ((token_sha256 = ( SELECT public.app_lookup_hash() AS app_lookup_hash)));

CREATE POLICY lookup_scope ON public.member USING (((email = ( SELECT public.app_lookup() AS app_lookup)) OR (id IN ( SELECT session.member_id
   FROM public.session
  WHERE (session.token_sha256 = ( SELECT public.app_lookup_hash() AS app_lookup_hash))))));

CREATE POLICY lookup_scope ON public.role_binding FOR SELECT USING (((( SELECT public.app_lookup() AS app_lookup) IS NOT NULL) AND (EXISTS ( SELECT
   FROM public.member
  WHERE (member.id = role_binding.member_id)))));

CREATE POLICY lookup_scope ON public.session USING ((token_sha256 = ( SELECT public.app_lookup_hash() AS app_lookup_hash)));

CREATE POLICY lookup_scope ON public.share FOR SELECT USING ((token_sha256 = ( SELECT public.app_lookup_hash() AS app_lookup_hash)));

CREATE POLICY lookup_scope ON public.token_key FOR SELECT USING ((id = ( SELECT public.app_lookup_id() AS app_lookup_id)));

CREATE POLICY lookup_sign_in ON public.session FOR INSERT WITH CHECK ((email = ( SELECT public.app_lookup() AS app_lookup)));

ALTER TABLE public.member ENABLE ROW LEVEL SECURITY;

CREATE POLICY mounted_scope ON public.share_price FOR SELECT USING ((share_id IN ( SELECT share_mount.share_id
   FROM public.share_mount
  WHERE ((share_mount.consumer_tenant_id = ( SELECT public.app_tenant() AS app_tenant)) OR (share_mount.consumer_tenant_id IN ( SELECT tenant.id
           FROM public.tenant
          WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization))))))));

ALTER TABLE public.object_status ENABLE ROW LEVEL SECURITY;

CREATE POLICY operator_scope ON public.access_request USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.alert_lag USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.alert_rule USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.alert_state USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.api_key USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.audit_event USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.broker_pool USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.cluster USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.cluster_link USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.cluster_link_status USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.cluster_link_topic_status USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.compute_budget USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.compute_pool USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.compute_use USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.contract USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.contract_config USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.contract_count USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.contract_finding USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.contract_judged USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.contract_lint_rule USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.contract_reference USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.contract_schema USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.contract_version USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.contract_violation USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.data_plane USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.data_plane_generation USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.data_plane_grant USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.data_plane_key USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.data_plane_link USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.data_product USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.data_product_reader USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.desired_state USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.enrollment_token USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.environment USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.event USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.event_head USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.idempotency USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.job USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.job_decision USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.job_status USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.job_topic USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.job_version USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.lease USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.member USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.object_status USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.organization USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.quota USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.quota_principal USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.quota_storage USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.quota_use USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.rate_card USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.role_binding USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.served_cluster USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.service_account USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.service_level USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.service_level_hour USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.service_quota USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.session USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.share USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.share_mount USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.share_price USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.share_topic USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.sharing USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.tenant USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.token_key USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.topic USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.usage_hour USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.usage_progress USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.usage_row USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

CREATE POLICY operator_scope ON public.usage_window USING ((( SELECT public.app_scope() AS app_scope) = 'operator'::text));

ALTER TABLE public.organization ENABLE ROW LEVEL SECURITY;

CREATE POLICY organization_scope ON public.access_request FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.alert_lag FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.alert_rule FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.alert_state FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.api_key FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.audit_event FOR SELECT USING ((organization_id = ( SELECT public.app_organization() AS app_organization)));

CREATE POLICY organization_scope ON public.broker_pool FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.cluster FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.cluster_link FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.cluster_link_status FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.cluster_link_topic_status FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.compute_budget FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.compute_pool FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.compute_use FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.contract FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.contract_config FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.contract_count FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.contract_finding FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.contract_judged FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.contract_lint_rule FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.contract_reference FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.contract_schema FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.contract_version FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.contract_violation FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.data_plane FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.data_plane_grant FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.data_plane_key FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.data_plane_link FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.data_product FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.data_product_reader FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.enrollment_token FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.environment FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.event FOR SELECT USING ((organization_id = ( SELECT public.app_organization() AS app_organization)));

CREATE POLICY organization_scope ON public.idempotency USING (((tenant_id IS NULL) AND (organization_id = ( SELECT public.app_organization() AS app_organization))));

CREATE POLICY organization_scope ON public.job FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.job_decision FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.job_status FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.job_topic FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.job_version FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.member USING ((organization_id = ( SELECT public.app_organization() AS app_organization)));

CREATE POLICY organization_scope ON public.object_status FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.organization FOR SELECT USING ((id = ( SELECT public.app_organization() AS app_organization)));

CREATE POLICY organization_scope ON public.quota FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.quota_principal FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.quota_storage FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.quota_use FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.rate_card FOR SELECT USING (((organization_id = ( SELECT public.app_organization() AS app_organization)) OR ((( SELECT public.app_organization() AS app_organization) IS NOT NULL) AND (organization_id IS NULL) AND ((tenant_id IS NULL) OR (tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization))))))));

CREATE POLICY organization_scope ON public.role_binding USING ((organization_id = ( SELECT public.app_organization() AS app_organization)));

CREATE POLICY organization_scope ON public.service_account FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.service_level FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.service_level_hour FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.service_quota FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.session USING ((organization_id = ( SELECT public.app_organization() AS app_organization)));

CREATE POLICY organization_scope ON public.share FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.share_mount FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.share_price FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.share_topic FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.sharing FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.tenant USING ((organization_id = ( SELECT public.app_organization() AS app_organization)));

CREATE POLICY organization_scope ON public.topic FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.usage_hour FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_scope ON public.usage_progress FOR SELECT USING ((data_plane_id IN ( SELECT cluster.data_plane_id
   FROM public.cluster
  WHERE (cluster.tenant_id IN ( SELECT tenant.id
           FROM public.tenant
          WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))))));

CREATE POLICY organization_scope ON public.usage_row FOR SELECT USING ((tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY organization_writes ON public.audit_event FOR INSERT WITH CHECK ((organization_id = ( SELECT public.app_organization() AS app_organization)));

CREATE POLICY organization_writes ON public.event FOR INSERT WITH CHECK ((organization_id = ( SELECT public.app_organization() AS app_organization)));

CREATE POLICY peer_scope ON public.data_plane_key FOR SELECT USING ((data_plane_id IN ( SELECT cluster_link.target_data_plane_id
   FROM public.cluster_link
  WHERE (cluster_link.source_data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY peer_scope ON public.object_status FOR SELECT USING ((object_id IN ( SELECT cluster_link.source_cluster_id
   FROM public.cluster_link
  WHERE (cluster_link.target_data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY peer_scope ON public.topic FOR SELECT USING ((mirror_link_id IN ( SELECT cluster_link.id
   FROM public.cluster_link
  WHERE (cluster_link.source_data_plane_id = ( SELECT public.app_data_plane() AS app_data_plane)))));

CREATE POLICY provider_scope ON public.usage_hour FOR SELECT USING ((topic_id IN ( SELECT share_mount.topic_id
   FROM public.share_mount
  WHERE ((share_mount.tenant_id = ( SELECT public.app_tenant() AS app_tenant)) OR (share_mount.tenant_id IN ( SELECT tenant.id
           FROM public.tenant
          WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization))))))));

CREATE POLICY public_scope ON public.data_product FOR SELECT USING (((visibility = 'PUBLIC'::text) AND given AND (EXISTS ( SELECT
   FROM public.tenant
  WHERE (tenant.id = ( SELECT public.app_tenant() AS app_tenant))))));

ALTER TABLE public.quota ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.quota_principal ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.quota_storage ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.quota_use ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.rate_card ENABLE ROW LEVEL SECURITY;

CREATE POLICY reader_scope ON public.data_product_reader FOR SELECT USING ((reader_tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY readers ON public.event_head FOR SELECT USING ((( SELECT public.app_scope() AS app_scope) = ANY (ARRAY['tenant'::text, 'organization'::text])));

CREATE POLICY recipient_organization_scope ON public.share_mount FOR SELECT USING ((consumer_tenant_id IN ( SELECT tenant.id
   FROM public.tenant
  WHERE (tenant.organization_id = ( SELECT public.app_organization() AS app_organization)))));

CREATE POLICY recipient_scope ON public.share FOR SELECT USING ((recipient_tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY recipient_scope ON public.share_mount USING ((consumer_tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY recipient_scope ON public.share_price FOR SELECT USING ((share_id IN ( SELECT share.id
   FROM public.share
  WHERE (share.recipient_tenant_id = ( SELECT public.app_tenant() AS app_tenant)))));

CREATE POLICY recipient_scope ON public.share_topic FOR SELECT USING ((share_id IN ( SELECT share.id
   FROM public.share
  WHERE (share.recipient_tenant_id = ( SELECT public.app_tenant() AS app_tenant)))));

CREATE POLICY requester_scope ON public.access_request FOR SELECT USING ((requester_tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

ALTER TABLE public.role_binding ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.served_cluster ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.service_account ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.service_level ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.service_level_hour ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.service_quota ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.session ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.share ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.share_mount ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.share_price ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.share_topic ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.sharing ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tenant ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_scope ON public.access_request USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.alert_lag USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.alert_rule USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.alert_state USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.api_key USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.audit_event FOR SELECT USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.broker_pool USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.cluster USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.cluster_link USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.cluster_link_status USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.cluster_link_topic_status USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.compute_budget USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.compute_pool USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.compute_use USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.contract USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.contract_config USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.contract_count USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.contract_finding USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.contract_judged USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.contract_lint_rule USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.contract_reference USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.contract_schema USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.contract_version USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.contract_violation USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.data_plane USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.data_plane_generation USING (((data_plane_id IN ( SELECT data_plane.id
   FROM public.data_plane
  WHERE (data_plane.tenant_id = ( SELECT public.app_tenant() AS app_tenant)))) OR (data_plane_id IN ( SELECT cluster.data_plane_id
   FROM public.cluster
  WHERE (cluster.tenant_id = ( SELECT public.app_tenant() AS app_tenant)))) OR (data_plane_id IN ( SELECT compute_pool.data_plane_id
   FROM public.compute_pool
  WHERE (compute_pool.tenant_id = ( SELECT public.app_tenant() AS app_tenant))))));

CREATE POLICY tenant_scope ON public.data_plane_grant USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.data_plane_key USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.data_plane_link USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.data_product USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.data_product_reader USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.enrollment_token USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.environment USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.event FOR SELECT USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.idempotency USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.job USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.job_decision USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.job_status USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.job_topic USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.job_version USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.member USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.object_status USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.organization FOR SELECT USING ((id IN ( SELECT tenant.organization_id
   FROM public.tenant
  WHERE (tenant.id = ( SELECT public.app_tenant() AS app_tenant)))));

CREATE POLICY tenant_scope ON public.quota USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.quota_principal USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.quota_storage USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.quota_use USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.rate_card FOR SELECT USING (((tenant_id = ( SELECT public.app_tenant() AS app_tenant)) OR ((tenant_id IS NULL) AND (( SELECT public.app_tenant() AS app_tenant) IS NOT NULL) AND ((organization_id IS NULL) OR (organization_id IN ( SELECT tenant.organization_id
   FROM public.tenant
  WHERE (tenant.id = ( SELECT public.app_tenant() AS app_tenant))))))));

CREATE POLICY tenant_scope ON public.role_binding USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.service_account USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.service_level USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.service_level_hour USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.service_quota USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.session USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.share USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.share_mount USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.share_price USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.share_topic USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.sharing USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.tenant FOR SELECT USING ((id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.topic USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.usage_hour USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_scope ON public.usage_progress FOR SELECT USING ((data_plane_id IN ( SELECT cluster.data_plane_id
   FROM public.cluster
  WHERE (cluster.tenant_id = ( SELECT public.app_tenant() AS app_tenant)))));

CREATE POLICY tenant_scope ON public.usage_row USING ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_writes ON public.audit_event FOR INSERT WITH CHECK ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

CREATE POLICY tenant_writes ON public.event FOR INSERT WITH CHECK ((tenant_id = ( SELECT public.app_tenant() AS app_tenant)));

ALTER TABLE public.token_key ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.topic ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_hour ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_progress ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_row ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_window ENABLE ROW LEVEL SECURITY;
