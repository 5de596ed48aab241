"""[6] What operators and editors see and change."""
