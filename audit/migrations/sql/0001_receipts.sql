-- Evidence: written once, signed, and never changed.

CREATE TABLE audit_receipt (
  id uuid PRIMARY KEY,
  account_id uuid NOT NULL,
  subject text NOT NULL UNIQUE,
  text text NOT NULL,
  key text NOT NULL,
  signature text NOT NULL,
  issued_at timestamptz NOT NULL
);
CREATE INDEX audit_receipt_account ON audit_receipt (account_id, issued_at DESC);
CREATE INDEX audit_receipt_newest ON audit_receipt (issued_at DESC, id DESC);
CREATE TRIGGER audit_refuse BEFORE UPDATE OR DELETE ON audit_receipt FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_refuse_truncate BEFORE TRUNCATE ON audit_receipt EXECUTE FUNCTION audit_refuse();
