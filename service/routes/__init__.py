"""[6] The endpoints: one module, with one blueprint, for each resource."""
