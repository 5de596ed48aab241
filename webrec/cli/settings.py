"""The settings that commands read, by what they are for; the names are those of `Settings`."""

from __future__ import annotations

PLACES = ("home", "store", "log")
"""Where the data is: every command reads them that opens the store and the log."""

ANSWERS = (
    "w_ads",
    "w_aff",
    "w_sim",
    "accept_weight",
    "fill",
    "default_filter",
    "tmax",
    "online",
)
"""What the answers to requests depend on."""

MODEL = ("accept_weight", "min_visits", "profile_urls", "taxonomy")
"""What the model that a batch makes depends on."""

SERVERS = ("workers", "threads")
"""How many requests a service answers at once."""
