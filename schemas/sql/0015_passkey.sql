-- Passkeys: public keys of authenticators, whose owners know them by their ids alone.

-- id: keyed hash of the credential's id; key: public, with its kind; counter: signatures that the
-- authenticator has counted, 0 if it counts none.
CREATE TABLE login_passkey (
    id         bytea PRIMARY KEY CHECK (length(id) = 32),
    key        bytea NOT NULL,
    counter    bigint NOT NULL,
    credential bytea NOT NULL REFERENCES login_credential ON DELETE CASCADE
);
CREATE INDEX login_passkey_credential ON login_passkey (credential);

-- login_begin() with a passkey, which is kept with it at its first use. outcome 5: its counter
-- didn't go up, so that somebody may have a copy of it, or the id is another key's.
CREATE FUNCTION login_begin_passkey(p_challenge bytea, p_expires timestamptz, p_credential bytea,
                                    p_name text, p_hash bytea, p_most integer, p_session uuid,
                                    p_until timestamptz, p_id bytea, p_key bytea,
                                    p_counter bigint, OUT outcome integer, OUT patient uuid)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT b.outcome, b.patient INTO outcome, patient
    FROM login_begin(p_challenge, p_expires, p_credential, p_name, p_hash, p_most, p_session,
                     p_until) b;
    IF outcome <> 0 THEN
        RETURN;
    END IF;
    INSERT INTO login_passkey AS k (id, key, counter, credential)
    VALUES (p_id, p_key, p_counter, p_credential)
    ON CONFLICT (id) DO UPDATE SET counter = excluded.counter
    WHERE k.key = excluded.key
      AND (excluded.counter > k.counter OR (excluded.counter = 0 AND k.counter = 0));
    IF NOT FOUND THEN
        DELETE FROM login_session s WHERE s.id = p_session;
        outcome := 5;
        patient := NULL;
    END IF;
END
$$;
