"""The mail system of the host: what is wanted of it, and the parts that make it so."""
