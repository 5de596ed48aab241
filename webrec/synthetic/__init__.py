"""Synthetic worlds: pages, visits, campaigns and requests that look like a publisher's."""
