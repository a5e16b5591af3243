"""Debian's archive: signed metadata, the resolver, the .deb reader and the configured root."""
