"""What compiled Scheme code runs on: calls, dynamic state, conditions and primitive procedures."""
