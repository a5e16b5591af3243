"""Derived forms that are expanded natively, one theme a module."""
