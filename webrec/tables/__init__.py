"""[3] Typed rows over any store."""
