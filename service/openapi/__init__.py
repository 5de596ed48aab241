"""[6] The interface as an OpenAPI 3.1 document: one module for each resource."""
