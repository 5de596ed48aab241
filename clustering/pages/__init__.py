"""[2] Clustering of pages: their texts in, categories out."""
