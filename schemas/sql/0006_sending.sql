-- Sent again for more, a transaction gets another hash; whichever is mined first counts. So all
-- hashes that it had are kept, one after the other, and a process that starts anew knows them.

ALTER TABLE anchor ADD older bytea NOT NULL DEFAULT '' CHECK (length(older) % 32 = 0);
ALTER TABLE relay ADD older bytea NOT NULL DEFAULT '' CHECK (length(older) % 32 = 0);

-- What is planned anew has no hash, and none of its former life.
CREATE FUNCTION sending_keep_hash() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.hash IS NULL THEN
        NEW.older := '';
    ELSIF OLD.hash <> NEW.hash THEN
        NEW.older := OLD.older || OLD.hash;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER anchor_keep_hash BEFORE UPDATE OF hash ON anchor
    FOR EACH ROW EXECUTE FUNCTION sending_keep_hash();
CREATE TRIGGER relay_keep_hash BEFORE UPDATE OF hash ON relay
    FOR EACH ROW EXECUTE FUNCTION sending_keep_hash();
