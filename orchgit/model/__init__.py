"""What things are and what is allowed: pure, no I/O, no clock, no environment."""
