"""[6] The HTTP service: requests in, answers out. The only folder that knows Flask."""
