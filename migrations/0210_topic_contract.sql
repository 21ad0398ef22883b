-- What a topic promises of its records: enforcement, and a strategy for keys and for values. The dead-letter topic is a column of
-- its own, so that the schema itself holds it to the same cluster; it goes from the row when the topic that it names is no more.
ALTER TABLE topic ADD COLUMN contract jsonb CONSTRAINT topic_contract_form CHECK (contract IS NULL OR (
    jsonb_typeof(contract) = 'object' AND contract->>'enforcement' IN ('OFF', 'SHADOW', 'MARK', 'DLQ', 'REJECT')));
ALTER TABLE topic ADD COLUMN dead_letter_topic_id uuid
    CONSTRAINT topic_dead_letter_topic_other CHECK (
        dead_letter_topic_id IS NULL OR (dead_letter_topic_id <> id AND contract IS NOT NULL));
ALTER TABLE topic ADD CONSTRAINT topic_in_cluster UNIQUE (tenant_id, cluster_id, id);
ALTER TABLE topic ADD CONSTRAINT topic_dead_letter_topic_exists FOREIGN KEY (tenant_id, cluster_id, dead_letter_topic_id)
    REFERENCES topic (tenant_id, cluster_id, id) ON DELETE SET NULL (dead_letter_topic_id);
CREATE INDEX topic_dead_letter_topic ON topic (dead_letter_topic_id) WHERE dead_letter_topic_id IS NOT NULL;
CREATE INDEX topic_under_contract ON topic (tenant_id) WHERE contract IS NOT NULL;

-- The names under which record-name strategies find a schema: the record of Avro, the title of JSON Schema, the messages of
-- Protobuf (no more than a thousand). Written with the schema, which never changes.
ALTER TABLE contract_schema ADD COLUMN record_names text[] NOT NULL DEFAULT '{}';

-- An agent's door reads what the topics that it serves promise.
CREATE POLICY data_plane_scope ON contract FOR SELECT USING (
    tenant_id IN (SELECT tenant_id FROM cluster WHERE data_plane_id = (SELECT app_data_plane())));
CREATE POLICY data_plane_scope ON contract_schema FOR SELECT USING (
    tenant_id IN (SELECT tenant_id FROM cluster WHERE data_plane_id = (SELECT app_data_plane())));
CREATE POLICY data_plane_scope ON contract_version FOR SELECT USING (
    tenant_id IN (SELECT tenant_id FROM cluster WHERE data_plane_id = (SELECT app_data_plane())));
CREATE POLICY data_plane_scope ON contract_reference FOR SELECT USING (
    tenant_id IN (SELECT tenant_id FROM cluster WHERE data_plane_id = (SELECT app_data_plane())));
