"""[2] Learners: the history of a site in, categories, communities and similar pages out."""
