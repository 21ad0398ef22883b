-- Keys that a client certificate opens instead of a secret: the SHA-256 of its public key. Such a key has no verifiers: they are empty,
-- so that a control plane of the version before, which knows no such keys, takes them for keys that no secret opens.
ALTER TABLE api_key ADD COLUMN public_key_sha256 bytea;
ALTER TABLE api_key ADD CONSTRAINT api_key_secret_or_public_key CHECK (
    CASE WHEN public_key_sha256 IS NULL THEN secret_sha256 <> ''
    ELSE octet_length(public_key_sha256) = 32 AND cluster_id IS NOT NULL AND secret_sha256 = ''
        AND scram_256_stored_key = '' AND scram_256_server_key = ''
        AND scram_512_stored_key = '' AND scram_512_server_key = '' END) NOT VALID;
ALTER TABLE api_key VALIDATE CONSTRAINT api_key_secret_or_public_key;
-- Within one cluster a public key says who somebody is. Over clusters it does not: any tenant may know another's public key.
CREATE UNIQUE INDEX api_key_public_key_unique ON api_key (cluster_id, public_key_sha256) WHERE public_key_sha256 IS NOT NULL;
