"""Documents in and out: JSON, access logs and files, read and validated."""
