-- Months of events: each is a table of its own, so that a year-old month leaves at once and no event is deleted.
-- All of it goes by the clock of Postgres; a worker whose clock is wrong, or was set ahead, moves nothing.

CREATE FUNCTION audit_guard_truncate(part regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER audit_refuse_truncate BEFORE TRUNCATE ON %s EXECUTE FUNCTION audit_refuse()', part);
END $$;

CREATE FUNCTION audit_make_rest() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  CREATE TABLE audit_event_rest PARTITION OF audit_event DEFAULT;
  PERFORM audit_guard_truncate('audit_event_rest');
END $$;

-- True if it made the month that `day` lies in.
CREATE FUNCTION audit_make_month(day timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  month timestamp := date_trunc('month', day AT TIME ZONE 'UTC');
  name text := to_char(month, '"audit_event_y"YYYY"m"MM');
BEGIN
  IF EXISTS (SELECT FROM audit_months() AS part
             WHERE part.lower <= month AT TIME ZONE 'UTC' AND part.upper > month AT TIME ZONE 'UTC') THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE %I PARTITION OF audit_event FOR VALUES FROM (%L) TO (%L)', name,
    month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
  PERFORM audit_guard_truncate(name::regclass);
  RETURN true;
END $$;

-- The parts with their bounds, the oldest first; not the one for the rest.
CREATE FUNCTION audit_months() RETURNS TABLE (part regclass, lower timestamptz, upper timestamptz)
  LANGUAGE sql STABLE AS $$
  SELECT oid::regclass, bound[1]::timestamptz, bound[2]::timestamptz FROM (
    SELECT c.oid, regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''(.+)''\) TO \(''(.+)''\)') AS bound
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'audit_event'::regclass) AS parts
   WHERE bound IS NOT NULL ORDER BY 2 $$;

-- If nobody made months for a while, events went to the rest: it becomes the part of those months, and a new one is made.
CREATE FUNCTION audit_split_rest() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  oldest timestamp;
  newest timestamp;
  name text;
BEGIN
  SELECT date_trunc('month', min(at) AT TIME ZONE 'UTC'), date_trunc('month', max(at) AT TIME ZONE 'UTC')
    INTO oldest, newest FROM audit_event_rest;
  IF oldest IS NULL THEN
    RETURN false;
  END IF;
  name := to_char(oldest, '"audit_event_y"YYYY"m"MM"_on"');
  ALTER TABLE audit_event DETACH PARTITION audit_event_rest;
  EXECUTE format('ALTER TABLE audit_event_rest RENAME TO %I', name);
  EXECUTE format('ALTER TABLE audit_event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name,
    oldest AT TIME ZONE 'UTC', (newest + interval '1 month') AT TIME ZONE 'UTC');
  PERFORM audit_make_rest();
  RETURN true;
END $$;

-- Takes one month away; what is left of each chain is checked from its last event that went.
CREATE FUNCTION audit_drop_month(part regclass) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  events bigint;
BEGIN
  EXECUTE format('ALTER TABLE audit_event DETACH PARTITION %s', part);
  EXECUTE format(
    'UPDATE audit_head AS head SET anchor_seq = gone.seq, anchor_hash = gone.hash
       FROM (SELECT DISTINCT ON (account_id) account_id, seq, hash FROM %s ORDER BY account_id, seq DESC) AS gone
      WHERE head.chain = coalesce(gone.account_id, ''00000000-0000-0000-0000-000000000000'')', part);
  EXECUTE format('SELECT count(*) FROM %s', part) INTO events;
  EXECUTE format('DROP TABLE %s', part);
  RETURN events;
END $$;

-- Makes this month and the next two, and drops what is older than `kept`, which a caller cannot make less than a year.
CREATE FUNCTION audit_turn_months(kept interval) RETURNS TABLE (did text, month text, events bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
  old record;
BEGIN
  IF now() - kept > now() - interval '365 days' THEN
    RAISE EXCEPTION 'events are kept for 365 days at least' USING ERRCODE = 'restrict_violation';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('audit_turn_months'));
  PERFORM audit_split_rest();
  FOR ahead IN 0..2 LOOP
    IF audit_make_month(now() + make_interval(months => ahead)) THEN
      did := 'made'; events := 0;
      month := to_char(now() AT TIME ZONE 'UTC' + make_interval(months => ahead), 'YYYY-MM');
      RETURN NEXT;
    END IF;
  END LOOP;
  FOR old IN SELECT * FROM audit_months() AS m WHERE m.upper < now() - kept LOOP
    did := 'dropped'; month := to_char(old.lower AT TIME ZONE 'UTC', 'YYYY-MM');
    events := audit_drop_month(old.part);
    RETURN NEXT;
  END LOOP;
END $$;

SELECT audit_make_rest();
SELECT audit_make_month(now() + make_interval(months => ahead)) FROM generate_series(0, 2) AS ahead;
