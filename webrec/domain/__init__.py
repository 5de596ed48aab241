"""Words of the product: value objects and what makes a URL, an id or a robot what it is; no I/O."""
