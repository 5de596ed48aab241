"""[2] The batch: the raw log in, categories of pages and communities of users out."""
