"""[6] Paths of the interface that more than one module has to know."""

RECOMMENDATIONS = "/v1/recommendations"
"""Where recommendations are asked for: the service and the baseline app both answer it."""
