-- Keys that sign access tokens (POST /v1/oauth/token): rotated, published before their use, kept until the last token that they signed
-- has ended. The private half is sealed under a key of the state directory: the database alone signs nothing.
CREATE TABLE token_key (
    id uuid PRIMARY KEY,
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 65),
    sealed_private_key bytea NOT NULL,
    signs_from timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CALL guard_operator('token_key');
-- Every agent is told the public halves. (An agent sees its own data plane's row, and a stranger none.)
CREATE POLICY data_plane_scope ON token_key FOR SELECT USING ((SELECT app_data_plane()) IN (SELECT id FROM data_plane));
-- A bearer of a token for the API names the key that signed it.
CREATE POLICY lookup_scope ON token_key FOR SELECT USING (id = (SELECT app_lookup_id()));
