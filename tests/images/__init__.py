"""Tests of the built images: real containers, the upstream contract line by line (docs/images.md)."""
