"""How good the recommendations are: the site's own log is replayed, part of it unseen."""
