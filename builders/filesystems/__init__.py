"""File systems as plans: each module turns a tree into a Plan, writing nothing."""
