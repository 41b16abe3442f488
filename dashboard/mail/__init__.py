"""What the pages say of domains, mailboxes, sending and the mail system's health."""
