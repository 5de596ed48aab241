"""[2][4] Features of pages and users, measured alike in the batch and in the service."""
