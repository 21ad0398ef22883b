-- Adoption: a broker pool that is somebody's Kafka already, a cluster whose names are that Kafka's own, topics that were there.

-- Where it is: addresses, authorities, login name, and the name of a credential. Never a password.
ALTER TABLE broker_pool ADD COLUMN attached jsonb;

ALTER TABLE cluster ADD COLUMN adopts boolean NOT NULL DEFAULT false;
-- Names that stand for themselves can belong to one cluster only.
CREATE UNIQUE INDEX cluster_adopts_unique ON cluster (broker_pool_id) WHERE adopts;

ALTER TABLE topic ADD COLUMN adopted boolean NOT NULL DEFAULT false;
-- Settings that were changed here since it was adopted: all others are Kafka's business.
ALTER TABLE topic ADD COLUMN changed_settings text[] NOT NULL DEFAULT '{}';
