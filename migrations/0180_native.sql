-- Native mode: clusters whose clients reach the brokers directly. A cluster's access never changes.
ALTER TABLE cluster ADD COLUMN access text NOT NULL DEFAULT 'GATEWAY'
    CONSTRAINT cluster_access_known CHECK (access IN ('GATEWAY', 'NATIVE'));
-- Names that stand for themselves can belong to one cluster only: one that adopts, or one in native mode.
DROP INDEX cluster_adopts_unique;
CREATE UNIQUE INDEX cluster_own_names_unique ON cluster (broker_pool_id) WHERE adopts OR access = 'NATIVE';

-- To what secrets for one agent alone are sealed; what an enrolled agent said first stays until another enrols.
ALTER TABLE data_plane_link ADD COLUMN sealing_public_key bytea
    CONSTRAINT data_plane_link_sealing_key_form CHECK (octet_length(sealing_public_key) = 32);

-- Of keys of native clusters: what Kafka makes its users of, sealed to the agent. Nobody who holds the database can open it.
ALTER TABLE api_key ADD COLUMN sealed bytea
    CONSTRAINT api_key_sealed_form CHECK (sealed IS NULL OR (cluster_id IS NOT NULL AND octet_length(sealed) <= 1024));
