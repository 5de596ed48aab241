"""The reference experiment: what is measured, what came of it, and its chart."""
