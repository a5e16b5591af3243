"""Where plans are poured: one module a kind of target."""
