"""The words of the product: value objects, event kinds, and the forms of URLs and ids; no I/O."""
