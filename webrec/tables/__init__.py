"""[3] Typed rows over any store: `Tables`, with one attribute for each table."""
