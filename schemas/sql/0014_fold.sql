-- Reading a chain from its beginning: a step's consents are recomputed by one statement, so that
-- the workers hear of them once, and found by an index of their own.

CREATE INDEX chain_event_of ON chain_event (consent, chain, block_number, log_index);
DROP INDEX chain_event_consent;

-- Recompute consents from their events, each as before.
CREATE FUNCTION chain_fold(p_chain bigint, p_consents bytea[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_safe bigint := coalesce((SELECT safe FROM chain_cursor WHERE chain = p_chain), -1);
BEGIN
    DELETE FROM consent_chain h
    WHERE h.consent = ANY (p_consents) AND h.chain = p_chain AND NOT EXISTS (
        SELECT FROM chain_event e
        WHERE e.consent = h.consent AND e.chain = p_chain AND e.kind = 1 AND NOT e.removed);

    -- A revocation once seen stays, even if its block went, until a higher version is granted and
    -- safe. It ends whatever is in force, even if it names the version in flight: on chain that
    -- one has replaced the other. One that waits to be relayed is seen.
    INSERT INTO consent_chain
        (consent, chain, version, commitment, controller, valid_from, valid_until, revoked, safe,
         block_number, block_hash, next_version, next_commitment, next_controller,
         next_valid_from, next_valid_until, next_block_number, next_block_hash,
         granted, next_granted)
    SELECT id.consent, p_chain, now_.version, (g.e).commitment, now_.controller,
           (g.e).valid_from, (g.e).valid_until,
           EXISTS (SELECT FROM chain_event r
                   WHERE r.consent = id.consent AND r.chain = p_chain
                     AND r.kind = 2 AND r.version >= (g.e).version)
           OR EXISTS (SELECT FROM relay r
                      WHERE r.consent = id.consent AND r.chain = p_chain
                        AND r.kind IN (2, 4) AND r.version BETWEEN (g.e).version AND then_.version),
           (g.e).block_number <= v_safe, (g.e).block_number, (g.e).block_hash,
           CASE WHEN (g.next).consent IS NOT NULL THEN then_.version END, (g.next).commitment,
           CASE WHEN (g.next).consent IS NOT NULL THEN then_.controller END,
           (g.next).valid_from, (g.next).valid_until, (g.next).block_number, (g.next).block_hash,
           (g.e).version, (g.next).version
    FROM (SELECT DISTINCT c AS consent FROM unnest(p_consents) AS c) AS id
    JOIN LATERAL (
        SELECT n AS event FROM chain_event n
        WHERE n.consent = id.consent AND n.chain = p_chain AND n.kind = 1 AND NOT n.removed
        ORDER BY n.block_number DESC, n.log_index DESC LIMIT 1) AS newest ON true
    LEFT JOIN LATERAL (
        SELECT s AS event FROM chain_event s
        WHERE s.consent = id.consent AND s.chain = p_chain AND s.kind = 1 AND NOT s.removed
          AND s.block_number <= v_safe
        ORDER BY s.block_number DESC, s.log_index DESC LIMIT 1) AS settled ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(settled.event, newest.event) AS e,
               CASE WHEN ((settled.event).block_number, (settled.event).log_index)
                         <> ((newest.event).block_number, (newest.event).log_index)
                    THEN newest.event END AS next) AS g
    CROSS JOIN LATERAL chain_rotated(g.e, g.next) AS now_
    CROSS JOIN LATERAL chain_rotated(newest.event, NULL) AS then_
    ON CONFLICT (consent) DO UPDATE SET
        chain = excluded.chain, version = excluded.version, commitment = excluded.commitment,
        controller = excluded.controller, valid_from = excluded.valid_from,
        valid_until = excluded.valid_until, revoked = excluded.revoked, safe = excluded.safe,
        block_number = excluded.block_number, block_hash = excluded.block_hash,
        next_version = excluded.next_version, next_commitment = excluded.next_commitment,
        next_controller = excluded.next_controller, next_valid_from = excluded.next_valid_from,
        next_valid_until = excluded.next_valid_until,
        next_block_number = excluded.next_block_number,
        next_block_hash = excluded.next_block_hash,
        granted = excluded.granted, next_granted = excluded.next_granted;
END
$$;

-- The fork point, as before.
CREATE OR REPLACE FUNCTION chain_rollback(p_chain bigint, p_number bigint) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_consents bytea[];
BEGIN
    WITH gone AS (
        UPDATE chain_event SET removed = true
        WHERE chain = p_chain AND block_number > p_number AND NOT removed RETURNING consent
    )
    SELECT array_agg(DISTINCT consent) INTO v_consents FROM gone;
    DELETE FROM chain_block WHERE chain = p_chain AND number > p_number;
    UPDATE chain_cursor c SET number = b.number, hash = b.hash, time = b.time
    FROM chain_block b
    WHERE c.chain = p_chain AND c.number > p_number AND b.chain = p_chain AND b.number = p_number;
    PERFORM chain_fold(p_chain, v_consents);
    RETURN coalesce(cardinality(v_consents), 0);
END
$$;

-- Move the cursor, as before. A grant that became safe is in force also if a newer one, in flight,
-- came before that.
CREATE OR REPLACE FUNCTION chain_advance(p_chain bigint, p_number bigint, p_hash bytea,
                                         p_time bigint, p_safe bigint, p_finalized bigint,
                                         p_agreed timestamptz)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_consents bytea[];
BEGIN
    INSERT INTO chain_cursor VALUES (p_chain, p_number, p_hash, p_time, p_safe, p_finalized, p_agreed)
    ON CONFLICT (chain) DO UPDATE SET
        number = excluded.number, hash = excluded.hash, time = excluded.time,
        safe = excluded.safe, finalized = excluded.finalized, agreed = excluded.agreed;
    UPDATE consent_chain SET safe = true
    WHERE chain = p_chain AND NOT safe AND block_number <= p_safe;
    SELECT array_agg(consent) INTO v_consents FROM (
        SELECT consent FROM consent_chain
        WHERE chain = p_chain AND next_version IS NOT NULL AND next_block_number <= p_safe
        UNION ALL
        SELECT h.consent FROM consent_chain h
        WHERE h.chain = p_chain AND NOT h.safe AND EXISTS (
            SELECT FROM chain_event e
            WHERE e.consent = h.consent AND e.chain = p_chain AND e.kind = 1 AND NOT e.removed
              AND e.block_number <= p_safe)) AS due;
    IF v_consents IS NOT NULL THEN
        PERFORM chain_fold(p_chain, v_consents);
    END IF;
END
$$;

DROP FUNCTION chain_fold(bigint, bytea);
