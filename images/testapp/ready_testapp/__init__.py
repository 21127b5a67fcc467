"""What runs an application's own tests in a container: the standard library, pytest and the stores' drivers alone."""
