"""A stand-in of Amazon Web Services: who a key is (STS, IAM), the sending service (SES) with its states, and messages (SNS)."""
