"""What an earlier version left on a host, kept for test_compatibility: archives, and how they are made and put back."""
