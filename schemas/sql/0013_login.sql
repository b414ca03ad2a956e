-- What patients log in with, the codes that link it to them, and the sessions of their tokens.

-- hash: keyed, of the DID.
CREATE TABLE login_credential (
    hash    bytea PRIMARY KEY CHECK (length(hash) = 32),
    patient uuid NOT NULL REFERENCES patient,
    created timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_credential_patient ON login_credential (patient);

-- name: the part of a code that finds it; hash: keyed, of all of it. A used code is gone.
CREATE TABLE login_code (
    name    text PRIMARY KEY,
    hash    bytea NOT NULL CHECK (length(hash) = 32),
    patient uuid NOT NULL REFERENCES patient,
    expires timestamptz NOT NULL,
    tries   integer NOT NULL DEFAULT 0
);
CREATE INDEX login_code_patient ON login_code (patient);

-- Challenges that were used; kept until they would be refused anyway.
CREATE TABLE login_used (
    challenge bytea PRIMARY KEY,
    expires   timestamptz NOT NULL
);
CREATE INDEX login_used_expires ON login_used (expires);

CREATE TABLE login_session (
    id         uuid PRIMARY KEY,
    credential bytea NOT NULL REFERENCES login_credential ON DELETE CASCADE,
    expires    timestamptz NOT NULL
);
CREATE INDEX login_session_credential ON login_session (credential);
CREATE INDEX login_session_expires ON login_session (expires);

-- Whom the code p_name leads to; NULL: there is no such code, any more. One that is wrong
-- p_most times is dead. The row is locked, so that tries made at once all count.
CREATE FUNCTION login_take_code(p_name text, p_hash bytea, p_most integer) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_code login_code;
BEGIN
    SELECT * INTO v_code FROM login_code WHERE name = p_name FOR UPDATE;
    IF v_code.name IS NULL OR v_code.tries >= p_most OR v_code.expires <= clock_timestamp() THEN
        RETURN NULL;
    END IF;
    IF v_code.hash <> p_hash THEN
        UPDATE login_code SET tries = tries + 1 WHERE name = p_name;
        RETURN NULL;
    END IF;
    DELETE FROM login_code WHERE name = p_name;
    RETURN patient_root(v_code.patient);
END
$$;

-- Use a challenge, and the code p_name unless it is NULL, and begin a session for whom
-- p_credential leads to. outcome: 0 begun, 1 the challenge was used before, 2 the code isn't
-- good, 3 the credential leads to nobody, 4 it is somebody else's. It never raises: a used
-- challenge and a wrong try stay what they are. What has passed is forgotten, a few at a time.
CREATE FUNCTION login_begin(p_challenge bytea, p_expires timestamptz, p_credential bytea,
                            p_name text, p_hash bytea, p_most integer, p_session uuid,
                            p_until timestamptz, OUT outcome integer, OUT patient uuid)
LANGUAGE plpgsql AS $$
DECLARE
    v_linked uuid;
BEGIN
    DELETE FROM login_used u WHERE u.challenge IN
        (SELECT o.challenge FROM login_used o WHERE o.expires < clock_timestamp() - interval '1 hour'
         ORDER BY o.expires LIMIT 100 FOR UPDATE SKIP LOCKED);
    DELETE FROM login_session s WHERE s.id IN
        (SELECT o.id FROM login_session o WHERE o.expires < clock_timestamp() - interval '1 hour'
         ORDER BY o.expires LIMIT 100 FOR UPDATE SKIP LOCKED);
    INSERT INTO login_used (challenge, expires) VALUES (p_challenge, p_expires)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        outcome := 1;
        RETURN;
    END IF;
    IF p_name IS NOT NULL THEN
        v_linked := login_take_code(p_name, p_hash, p_most);
        IF v_linked IS NULL THEN
            outcome := 2;
            RETURN;
        END IF;
        INSERT INTO login_credential (hash, patient) VALUES (p_credential, v_linked)
        ON CONFLICT DO NOTHING;
    END IF;
    -- Locked against whoever takes it away at this moment.
    SELECT patient_root(c.patient) INTO patient FROM login_credential c
    WHERE c.hash = p_credential FOR KEY SHARE;
    outcome := CASE WHEN patient IS NULL THEN 3 WHEN patient <> v_linked THEN 4 ELSE 0 END;
    IF outcome = 0 THEN
        INSERT INTO login_session (id, credential, expires)
        VALUES (p_session, p_credential, p_until);
    ELSE
        patient := NULL;
    END IF;
END
$$;

-- All that a patient logs in with, of all numbers merged with this one; returns how many.
CREATE FUNCTION login_forget(p_patient uuid) RETURNS bigint LANGUAGE sql AS $$
    WITH persons AS (SELECT patient_group(p_patient) AS id),
         codes AS (DELETE FROM login_code c USING persons p WHERE c.patient = p.id),
         gone AS (DELETE FROM login_credential c USING persons p WHERE c.patient = p.id RETURNING 1)
    SELECT count(*) FROM gone
$$;

-- Whose keys are destroyed logs in no more.
CREATE FUNCTION destroyed_key_login() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM login_code c WHERE c.patient = NEW.patient;
    DELETE FROM login_credential c WHERE c.patient = NEW.patient;
    RETURN NULL;
END
$$;
CREATE TRIGGER destroyed_login AFTER UPDATE ON patient_key FOR EACH ROW
    WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL)
    EXECUTE FUNCTION destroyed_key_login();
