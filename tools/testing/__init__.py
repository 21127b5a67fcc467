"""`./ready test`: what there is to run (catalogue), what of it (choice), when (pool), how it went (results)."""
