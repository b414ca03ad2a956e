-- A rotation of the controller spends a version on chain and changes nothing that was filed. So a
-- version that was filed is found by that of its grant; the chain's own is what comes after.

ALTER TABLE consent_chain
    ADD granted      integer,
    ADD next_granted integer;

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
         next_valid_from, next_valid_until, next_block_number, next_block_hash,
         granted, next_granted)
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
         v_next.valid_from, v_next.valid_until, v_next.block_number, v_next.block_hash,
         v_grant.version, v_next.version)
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

SELECT chain_fold(chain, consent) FROM consent_chain;
ALTER TABLE consent_chain ALTER granted SET NOT NULL;
