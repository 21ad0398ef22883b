-- What a share asks the gateways to encrypt, and how often other keys were wished. Keys are the agents': there are none here.
ALTER TABLE share_topic ADD COLUMN encryption text CHECK (encryption IN ('WHOLE'));
ALTER TABLE share ADD COLUMN key_generation bigint NOT NULL DEFAULT 1 CHECK (key_generation > 0);
