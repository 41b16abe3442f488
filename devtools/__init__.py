"""What bin/ is made of: it starts and stops processes around the product and imports nothing of it."""
