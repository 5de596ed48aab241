"""[1] The raw log: events in, durable lines out; replayed in order for the batch."""
