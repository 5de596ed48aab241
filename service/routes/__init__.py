"""[6] The endpoints, one group per file."""
