-- What happened, and nothing that happened changes. The rules are here and not in Python, because they bind every
-- program that holds the role, and every person at a prompt with it.
--
-- An event enters without number and hash; a trigger that runs at COMMIT gives it both. So the lock on a chain is the
-- last thing a transaction takes and the first it gives back, chains are locked in one order, and a step that talks to
-- an outside service after recording holds nobody up.

CREATE TABLE audit_head (
  chain uuid PRIMARY KEY,                   -- the account, or all zeros for the house's own chain
  seq bigint NOT NULL DEFAULT 0,            -- the last event's number
  hash bytea NOT NULL DEFAULT '',           -- and its hash
  at timestamptz NOT NULL DEFAULT '-infinity',
  anchor_seq bigint NOT NULL DEFAULT 0,     -- the last event that left with its month: the chain is checked from there
  anchor_hash bytea NOT NULL DEFAULT ''
);

CREATE TABLE audit_event (
  id bigserial NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  account_id uuid CHECK (account_id <> '00000000-0000-0000-0000-000000000000'),
  by text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL DEFAULT '',
  facts jsonb NOT NULL DEFAULT '{}',
  reference text NOT NULL DEFAULT '',
  seq bigint,
  prev_hash bytea,
  hash bytea,
  PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE INDEX audit_event_chain ON audit_event (account_id, seq);
CREATE INDEX audit_event_account ON audit_event (account_id, id);
CREATE INDEX audit_event_subject ON audit_event (subject, id);
CREATE INDEX audit_event_reference ON audit_event (reference) WHERE reference <> '';
CREATE INDEX audit_event_unchained ON audit_event (at) WHERE hash IS NULL;

-- One field with its length in bytes before it, so that no two different rows read the same.
CREATE FUNCTION audit_field(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN octet_length(coalesce(value, '')) || ':' || coalesce(value, '') || ',';

-- The same is computed by audit/chain.py, which does not trust this function.
CREATE FUNCTION audit_hash(prev bytea, e audit_event) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN sha256(prev || convert_to(
    audit_field(e.seq::text) || audit_field(e.id::text)
    || audit_field((extract(epoch FROM e.at) * 1000000)::bigint::text)
    || audit_field(e.account_id::text) || audit_field(e.by) || audit_field(e.action)
    || audit_field(e.subject) || audit_field(e.facts::text) || audit_field(e.reference), 'UTF8'));

-- An event is of now: nobody writes history afterwards, whatever the clock of the machine that asks.
CREATE FUNCTION audit_enter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.hash IS NULL AND NEW.seq IS NULL AND NEW.prev_hash IS NULL AND NEW.at = now() THEN
    RETURN NEW;
  END IF;
  -- An event of a transaction that began in the month before moves to the month of its chain's end.
  IF pg_trigger_depth() > 1 AND EXISTS (
    SELECT FROM audit_head WHERE chain = coalesce(NEW.account_id, '00000000-0000-0000-0000-000000000000')
      AND seq = NEW.seq AND hash = NEW.hash) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'an audit event is written now, and Postgres numbers it' USING ERRCODE = 'restrict_violation';
END $$;

-- Only the trigger that numbers an event may touch it, and only once; no event is committed without its hash.
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_NARGS > 0 AND pg_trigger_depth() > 1 THEN
    IF OLD.hash IS NULL AND TG_OP = 'UPDATE' THEN
      RETURN NEW;
    ELSIF OLD.hash IS NULL THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION audit_lock_head(which uuid) RETURNS audit_head LANGUAGE plpgsql AS $$
DECLARE
  head audit_head;
BEGIN
  SELECT * INTO head FROM audit_head WHERE chain = which FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO audit_head (chain) VALUES (which) ON CONFLICT DO NOTHING;
    SELECT * INTO STRICT head FROM audit_head WHERE chain = which FOR UPDATE;
  END IF;
  RETURN head;
END $$;

CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  event audit_event;
  head audit_head;
  fresh audit_event;
BEGIN
  -- The first event of a transaction brings all of them in; for the others there is nothing left to do.
  SELECT * INTO event FROM audit_event WHERE id = NEW.id AND at = NEW.at;
  IF event.id IS NULL OR event.hash IS NOT NULL THEN
    RETURN NULL;
  END IF;
  FOR event IN SELECT * FROM audit_event WHERE hash IS NULL AND at = now() ORDER BY account_id NULLS FIRST, id LOOP
    head := audit_lock_head(coalesce(event.account_id, '00000000-0000-0000-0000-000000000000'));
    fresh := event;
    fresh.seq := head.seq + 1;
    fresh.prev_hash := head.hash;
    fresh.at := greatest(event.at, head.at);
    fresh.hash := audit_hash(head.hash, fresh);
    UPDATE audit_head SET seq = fresh.seq, hash = fresh.hash, at = fresh.at WHERE chain = head.chain;
    UPDATE audit_event SET seq = fresh.seq, prev_hash = fresh.prev_hash, hash = fresh.hash, at = fresh.at
      WHERE id = event.id AND at = event.at;
  END LOOP;
  RETURN NULL;
END $$;

-- The end of a chain moves by one event at a time, its anchor only over events that are no longer there.
CREATE FUNCTION audit_keep_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' AND NEW.seq = 0 AND NEW.anchor_seq = 0 THEN
    RETURN NEW;
  ELSIF TG_OP = 'UPDATE' AND NEW.chain = OLD.chain THEN
    IF pg_trigger_depth() > 1 AND NEW.seq = OLD.seq + 1 AND NEW.anchor_seq = OLD.anchor_seq THEN
      RETURN NEW;
    END IF;
    IF NEW.seq = OLD.seq AND NEW.hash = OLD.hash AND NEW.at = OLD.at
       AND NEW.anchor_seq > OLD.anchor_seq AND NEW.anchor_seq <= OLD.seq AND NOT EXISTS (
         SELECT FROM audit_event WHERE seq <= NEW.anchor_seq AND account_id IS NOT DISTINCT FROM
           nullif(NEW.chain, '00000000-0000-0000-0000-000000000000')) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'audit_head follows the events alone: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER audit_enter BEFORE INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION audit_enter();
CREATE TRIGGER audit_refuse BEFORE UPDATE OR DELETE ON audit_event FOR EACH ROW
  EXECUTE FUNCTION audit_refuse('but the numbering');
CREATE TRIGGER audit_refuse_truncate BEFORE TRUNCATE ON audit_event EXECUTE FUNCTION audit_refuse();
CREATE CONSTRAINT TRIGGER audit_chain AFTER INSERT ON audit_event DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION audit_chain();

CREATE TRIGGER audit_keep_head BEFORE INSERT OR UPDATE OR DELETE ON audit_head FOR EACH ROW
  EXECUTE FUNCTION audit_keep_head();
CREATE TRIGGER audit_refuse_truncate BEFORE TRUNCATE ON audit_head EXECUTE FUNCTION audit_refuse();
