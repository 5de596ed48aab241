"""webrec: a real-time web recommender by set operations. Importing it loads no driver."""
