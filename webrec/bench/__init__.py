"""The reference experiment: the real service under load, beside the least its stack needs."""
