"""The trainer's process: one job, from its document to its last delivered event."""
