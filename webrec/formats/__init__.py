"""Documents in and out: JSON that is validated, its schemas, access logs, and files."""
