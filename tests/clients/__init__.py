"""Real clients, as an application uses them, against a stack: their image and their programs."""
