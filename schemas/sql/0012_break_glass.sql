-- Broken glass: who may see whose data in an emergency, until when, and what a review found.

-- id: of the exchange by which it was opened; its record says, sealed, who and why. recipient: who,
-- by number. patient: whose data; NULL: erased. reason: a word of the configuration.
CREATE TABLE break_glass (
    id        uuid PRIMARY KEY,
    patient   uuid,
    recipient bigint NOT NULL,
    reason    text NOT NULL,
    opened    timestamptz NOT NULL,
    until     timestamptz NOT NULL,
    review_by timestamptz NOT NULL,
    reviewed  timestamptz,
    outcome   text,
    CHECK ((reviewed IS NULL) = (outcome IS NULL))
);
CREATE INDEX break_glass_recipient ON break_glass (recipient, until);
CREATE INDEX break_glass_unreviewed ON break_glass (review_by) WHERE reviewed IS NULL;

-- Who is told of it. whom: 1 the privacy officer, 2 the patient. next_at: when it is tried (again).
CREATE TABLE break_glass_notice (
    id       uuid NOT NULL REFERENCES break_glass,
    whom     smallint NOT NULL CHECK (whom IN (1, 2)),
    next_at  timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    told     timestamptz,
    PRIMARY KEY (id, whom)
);
CREATE INDEX break_glass_notice_due ON break_glass_notice (next_at) WHERE told IS NULL;

-- Notices that are due, a few at a time, taken for as long as a try may last: who takes one tells it,
-- and another may only after that. The pause doubles up to an hour and a half.
CREATE FUNCTION break_glass_due(p_now timestamptz, p_most integer)
RETURNS TABLE (id uuid, whom smallint, reason text, opened timestamptz, until timestamptz,
               review_by timestamptz)
LANGUAGE sql AS $$
    UPDATE break_glass_notice n
    SET attempts = n.attempts + 1,
        next_at = p_now + interval '1 second' * 5 * power(2, least(n.attempts, 10))
    FROM break_glass b
    WHERE b.id = n.id AND (n.id, n.whom) IN
        (SELECT d.id, d.whom FROM break_glass_notice d WHERE d.told IS NULL AND d.next_at <= p_now
         ORDER BY d.next_at LIMIT p_most FOR UPDATE SKIP LOCKED)
    RETURNING n.id, n.whom, b.reason, b.opened, b.until, b.review_by
$$;

-- As before; a broken glass of an erased patient is closed, and says of nobody any more.
CREATE OR REPLACE FUNCTION patient_shred(p_patient uuid) RETURNS SETOF uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_all uuid[];
BEGIN
    IF p_patient = '00000000-0000-0000-0000-000000000000' THEN
        RAISE EXCEPTION 'the tenant is not a patient' USING ERRCODE = 'CS006';
    END IF;
    PERFORM pg_advisory_xact_lock(7237003); -- no merge meanwhile
    SELECT array_agg(g) INTO v_all FROM patient_group(p_patient) AS g;
    RETURN QUERY UPDATE patient_key SET wrapped = NULL, destroyed = now()
                 WHERE patient = ANY (v_all) AND wrapped IS NOT NULL RETURNING id;
    DELETE FROM patient_identifier WHERE patient = ANY (v_all);
    DELETE FROM access WHERE patient = ANY (v_all);
    DELETE FROM break_glass_notice n USING break_glass b
    WHERE b.id = n.id AND b.patient = ANY (v_all) AND n.whom = 2 AND n.told IS NULL;
    UPDATE break_glass SET patient = NULL, until = least(until, now()) WHERE patient = ANY (v_all);
END
$$;
