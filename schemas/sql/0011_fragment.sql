-- Parts of HL7 v2 messages: which continues which. The parts themselves are payloads.

-- key, before: keyed hashes of sender and continuation pointer (DSC-1, MSH-14): where the next part
-- looks for this one, and where this one looked. A pointer may be used again by another message, so
-- the part before is told by its digest as well. joined: its message is whole and taken.
CREATE TABLE fragment (
    key           bytea PRIMARY KEY CHECK (length(key) = 32),
    digest        bytea NOT NULL CHECK (length(digest) = 32),
    before        bytea CHECK (length(before) = 32),
    before_digest bytea CHECK (length(before_digest) = 32),
    payload       uuid NOT NULL,
    taken         timestamptz NOT NULL,
    joined        boolean NOT NULL DEFAULT false,
    CHECK ((before IS NULL) = (before_digest IS NULL))
);
CREATE INDEX fragment_taken ON fragment (taken);

-- Keep a part, or the same again; false: another one waits there, and hasn't waited for p_stale yet.
-- What waited for p_forget is forgotten here, a few at a time; the payloads stay.
CREATE FUNCTION fragment_keep(p_key bytea, p_digest bytea, p_before bytea, p_before_digest bytea,
                              p_payload uuid, p_stale interval, p_forget interval) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    DELETE FROM fragment f WHERE f.key IN
        (SELECT o.key FROM fragment o WHERE o.taken < v_now - p_forget ORDER BY o.taken LIMIT 100);
    INSERT INTO fragment AS f (key, digest, before, before_digest, payload, taken)
    VALUES (p_key, p_digest, p_before, p_before_digest, p_payload, v_now)
    ON CONFLICT (key) DO UPDATE
    SET digest = excluded.digest, before = excluded.before,
        before_digest = excluded.before_digest, payload = excluded.payload,
        taken = excluded.taken, joined = false
    WHERE f.digest = excluded.digest OR f.joined OR f.taken < v_now - p_stale;
    RETURN FOUND;
END
$$;

-- The parts up to the one at p_key, backwards; nothing unless the first of them is there too.
CREATE FUNCTION fragment_chain(p_key bytea, p_most integer)
RETURNS TABLE (key bytea, digest bytea, payload uuid, n integer)
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE chain AS (
        SELECT f.*, 1 AS n FROM fragment f WHERE f.key = p_key
        UNION ALL
        SELECT f.*, c.n + 1 FROM chain c
        JOIN fragment f ON f.key = c.before AND f.digest = c.before_digest
        WHERE c.n <= p_most)
    SELECT c.key, c.digest, c.payload, c.n FROM chain c
    WHERE EXISTS (SELECT FROM chain o WHERE o.before IS NULL)
$$;
