-- The agents' door: who is live, what was wished in signed form, and which cluster belongs to whom, for usage that comes late.

-- The key before the present one still opens the door: the answer to a renewal may be lost.
-- `session_id`: the newest session; an older one that reads another id here ends. Instances that were fenced stay out.
ALTER TABLE data_plane_link
    ADD COLUMN previous_public_key_sha256 bytea,
    ADD COLUMN session_id uuid,
    ADD COLUMN fenced_instances bigint[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT data_plane_link_key_unique UNIQUE (public_key_sha256);

-- An expired certificate renews by proof of its key, which finds its own row and no other.
CREATE POLICY lookup_scope ON data_plane_link FOR SELECT USING (public_key_sha256 = (SELECT app_lookup_hash()));
-- A token is spent by the data plane that it enrols, in the transaction that writes the key.
CREATE POLICY data_plane_scope ON enrollment_token USING (data_plane_id = (SELECT app_data_plane()));

-- Every generation as it was signed: the same number is the same bytes for ever. Only signature and expiry are renewed.
CREATE TABLE desired_state (
    data_plane_id uuid NOT NULL REFERENCES data_plane (id) ON DELETE CASCADE,
    epoch bigint NOT NULL,
    n bigint NOT NULL,
    body bytea NOT NULL,
    digest bytea NOT NULL,
    signature bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    built_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (data_plane_id, epoch, n)
);
CALL guard_operator('desired_state');
CREATE POLICY data_plane_scope ON desired_state USING (data_plane_id = (SELECT app_data_plane()));

-- Which tenant a cluster is or was of. Outlives the cluster, so that its last usage finds its owner.
CREATE TABLE served_cluster (
    cluster_id uuid PRIMARY KEY,
    data_plane_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    environment_id uuid NOT NULL
);
CREATE INDEX served_cluster_data_plane ON served_cluster (data_plane_id);
CALL guard_operator('served_cluster');
CREATE POLICY data_plane_scope ON served_cluster USING (data_plane_id = (SELECT app_data_plane()));
-- Usage is written with the organization of its tenant. (served_cluster's policies read no other table.)
CREATE POLICY data_plane_scope ON tenant FOR SELECT USING (id IN (
    SELECT tenant_id FROM served_cluster WHERE data_plane_id = (SELECT app_data_plane())));
