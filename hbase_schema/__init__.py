"""The physical schema: tables, row keys and cells as bytes, with their inverses; no I/O.

It sits between step [2] and step [4]: the batch writes by it, the look-up reads by it.
"""
