"""What happens: the loop, the runner, review."""
