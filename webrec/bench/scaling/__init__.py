"""How service and batch bear a world that grows: sizes in, latency and cost of each out."""
