-- Does one part of a topic's contract, key or value, take schemas of a subject? One place for what follows a contract in force
-- (topic_takes) and for what only tells of it.
CREATE FUNCTION part_takes(strategy text, topic text, part text, subject text, record_names text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE strategy
        WHEN 'TOPIC_NAME' THEN subject = topic || '-' || part
        WHEN 'RECORD_NAME' THEN subject = ANY (record_names)
        WHEN 'TOPIC_RECORD_NAME' THEN starts_with(subject, topic || '-')
            AND substr(subject, length(topic) + 2) = ANY (record_names)
        ELSE false END;

CREATE OR REPLACE FUNCTION topic_takes(contract jsonb, topic text, subject text, record_names text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(contract->>'enforcement' <> 'OFF', false)
        AND EXISTS (SELECT FROM (VALUES ('key'), ('value')) AS part (name)
            WHERE part_takes(contract->part.name->>'strategy', topic, part.name, subject, record_names));
