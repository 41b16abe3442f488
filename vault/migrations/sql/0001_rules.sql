-- What is retired stays retired, what is shredded stays shredded, and neither row ever leaves: both are evidence. The rules
-- are here and not in Python, because they bind every program that holds the role.

CREATE FUNCTION vault_keep_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.id = OLD.id AND NEW.added_at = OLD.added_at AND OLD.retired_at IS NULL THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a key of the vault is retired once, and stays: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER vault_keep_key BEFORE UPDATE OR DELETE ON vault_key FOR EACH ROW EXECUTE FUNCTION vault_keep_key();

CREATE FUNCTION vault_keep_secret() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.shredded_at IS NULL AND (NEW.id, NEW.account_id, NEW.purpose, NEW.subject, NEW.kept_at, NEW."by")
     = (OLD.id, OLD.account_id, OLD.purpose, OLD.subject, OLD.kept_at, OLD."by") THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a secret is shredded once, and its row stays: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER vault_keep_secret BEFORE UPDATE OR DELETE ON vault_secret
  FOR EACH ROW EXECUTE FUNCTION vault_keep_secret();
