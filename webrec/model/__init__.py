"""[4] A generation in memory: its tables in, arrays to look things up in out."""
