"""[2] Clustering of users: their visits in, communities out."""
