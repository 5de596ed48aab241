"""[4] → [6] One request: a visitor and a page in, an answer out."""
