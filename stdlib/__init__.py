"""The library that configurations import: Scheme modules, and Python ones that bind builders."""
