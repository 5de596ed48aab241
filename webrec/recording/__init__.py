"""[1] → [3] What happens to an event: into the raw log, then into its visitor's recent row."""
