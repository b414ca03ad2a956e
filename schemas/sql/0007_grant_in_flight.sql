-- A grant counts once its block is safe; until then the version before it stays in force, unless
-- it is revoked. So consent_chain holds both: the grant in force, and the one in flight above it.

ALTER TABLE consent_chain
    ADD next_version      integer,
    ADD next_commitment   bytea,
    ADD next_controller   bytea,
    ADD next_valid_from   bigint,
    ADD next_valid_until  bigint,
    ADD next_block_number bigint,
    ADD next_block_hash   bytea;
CREATE INDEX consent_chain_next ON consent_chain (chain, next_block_number)
    WHERE next_version IS NOT NULL;

-- The version, and the controller, that rotations after @p_from and before @p_to led to.
CREATE FUNCTION chain_rotated(p_from chain_event, p_to chain_event) RETURNS TABLE
    (version integer, controller bytea)
LANGUAGE sql STABLE AS $$
    SELECT r.version, r.controller FROM (
        SELECT e.version, e.controller, e.block_number, e.log_index FROM chain_event e
        WHERE e.consent = p_from.consent AND e.chain = p_from.chain AND e.kind = 3 AND NOT e.removed
          AND (e.block_number, e.log_index) > (p_from.block_number, p_from.log_index)
          AND (p_to.consent IS NULL
               OR (e.block_number, e.log_index) < (p_to.block_number, p_to.log_index))
        UNION ALL
        SELECT p_from.version, p_from.controller, p_from.block_number, p_from.log_index
    ) AS r ORDER BY r.block_number DESC, r.log_index DESC LIMIT 1
$$;

-- Recompute one consent from its events.
CREATE OR REPLACE FUNCTION chain_fold(p_chain bigint, p_consent bytea) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_newest  chain_event;
    v_grant   chain_event;
    v_next    chain_event;
    v_now     record;
    v_then    record;
    v_safe    bigint;
BEGIN
    SELECT coalesce((SELECT safe FROM chain_cursor WHERE chain = p_chain), -1) INTO v_safe;
    SELECT * INTO v_newest FROM chain_event
    WHERE consent = p_consent AND chain = p_chain AND kind = 1 AND NOT removed
    ORDER BY block_number DESC, log_index DESC LIMIT 1;
    IF NOT FOUND THEN
        DELETE FROM consent_chain WHERE consent = p_consent AND chain = p_chain;
        RETURN;
    END IF;
    SELECT * INTO v_grant FROM chain_event
    WHERE consent = p_consent AND chain = p_chain AND kind = 1 AND NOT removed
      AND block_number <= v_safe
    ORDER BY block_number DESC, log_index DESC LIMIT 1;
    IF NOT FOUND THEN
        v_grant := v_newest;
    ELSIF v_grant.block_number <> v_newest.block_number
          OR v_grant.log_index <> v_newest.log_index THEN
        v_next := v_newest;
    END IF;
    SELECT * INTO v_now FROM chain_rotated(v_grant, v_next);
    SELECT * INTO v_then FROM chain_rotated(v_newest, NULL);

    -- A revocation once seen stays, even if its block went, until a higher version is granted and
    -- safe. It ends whatever is in force, even if it names the version in flight: on chain that
    -- one has replaced the other. One that waits to be relayed is seen.
    INSERT INTO consent_chain
        (consent, chain, version, commitment, controller, valid_from, valid_until, revoked, safe,
         block_number, block_hash, next_version, next_commitment, next_controller,
         next_valid_from, next_valid_until, next_block_number, next_block_hash)
    VALUES
        (p_consent, p_chain, v_now.version, v_grant.commitment, v_now.controller,
         v_grant.valid_from, v_grant.valid_until,
         EXISTS (SELECT FROM chain_event WHERE consent = p_consent AND chain = p_chain
                 AND kind = 2 AND version >= v_grant.version)
         OR EXISTS (SELECT FROM relay WHERE consent = p_consent AND chain = p_chain
                    AND kind IN (2, 4) AND version BETWEEN v_grant.version AND v_then.version),
         v_grant.block_number <= v_safe, v_grant.block_number, v_grant.block_hash,
         CASE WHEN v_next.consent IS NOT NULL THEN v_then.version END, v_next.commitment,
         CASE WHEN v_next.consent IS NOT NULL THEN v_then.controller END,
         v_next.valid_from, v_next.valid_until, v_next.block_number, v_next.block_hash)
    ON CONFLICT (consent) DO UPDATE SET
        chain = excluded.chain, version = excluded.version, commitment = excluded.commitment,
        controller = excluded.controller, valid_from = excluded.valid_from,
        valid_until = excluded.valid_until, revoked = excluded.revoked, safe = excluded.safe,
        block_number = excluded.block_number, block_hash = excluded.block_hash,
        next_version = excluded.next_version, next_commitment = excluded.next_commitment,
        next_controller = excluded.next_controller, next_valid_from = excluded.next_valid_from,
        next_valid_until = excluded.next_valid_until,
        next_block_number = excluded.next_block_number,
        next_block_hash = excluded.next_block_hash;
END
$$;

-- Move the cursor, as before; grants in flight that became safe take the place of those before.
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
    SELECT array_agg(consent) INTO v_consents FROM consent_chain
    WHERE chain = p_chain AND next_version IS NOT NULL AND next_block_number <= p_safe;
    PERFORM chain_fold(p_chain, c) FROM unnest(v_consents) AS c;
END
$$;

-- Plan a call, as before; a revocation acts from here on, whichever of both versions it names.
CREATE OR REPLACE FUNCTION relay_plan(p_consent bytea, p_version integer, p_kind smallint,
                                      p_chain bigint, p_call bytea) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint;
BEGIN
    INSERT INTO relay AS r (consent, version, kind, chain, call)
    VALUES (p_consent, p_version, p_kind, p_chain, p_call)
    ON CONFLICT (consent, version, kind) DO UPDATE SET
        chain = excluded.chain, call = excluded.call, state = 0, nonce = NULL, raw = NULL,
        hash = NULL, block_number = NULL, block_hash = NULL, reason = '', changed = now()
    WHERE r.state = 8
    RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        SELECT id INTO v_id FROM relay
        WHERE consent = p_consent AND version = p_version AND kind = p_kind;
    END IF;
    UPDATE consent_chain SET revoked = true
    WHERE consent = p_consent AND chain = p_chain AND p_version IN (version, next_version)
      AND p_kind IN (2, 4) AND NOT revoked;
    PERFORM pg_notify('chartseal_relay', '');
    RETURN v_id;
END
$$;
