"""[1] → [2] → [3] One batch: the raw log in, one more published generation out."""
