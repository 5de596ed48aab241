"""[2] Learners: what the log says in, categories, communities and similar pages out."""
