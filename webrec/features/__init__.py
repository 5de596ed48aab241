"""[2][4] What pages and users are measured by, alike in the batch and in the service."""
