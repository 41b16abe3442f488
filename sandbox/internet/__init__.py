"""The internet that the sandbox's hosts live in: names, certificates, packages, and the people who write to them."""
