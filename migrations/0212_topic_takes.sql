-- Does what a topic promises take schemas of a subject? `record_names` are the names of the records that the subject's schemas are
-- of, for the strategies that go by them. One place, for whoever moves gateways on, waits for them, or tells whom a change meets.
CREATE FUNCTION topic_takes(contract jsonb, topic text, subject text, record_names text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(contract->>'enforcement' <> 'OFF', false)
        AND EXISTS (SELECT FROM (VALUES ('key'), ('value')) AS part (name) WHERE CASE contract->part.name->>'strategy'
            WHEN 'TOPIC_NAME' THEN subject = topic || '-' || part.name
            WHEN 'RECORD_NAME' THEN subject = ANY (record_names)
            WHEN 'TOPIC_RECORD_NAME' THEN starts_with(subject, topic || '-')
                AND substr(subject, length(topic) + 2) = ANY (record_names)
            ELSE false END);
