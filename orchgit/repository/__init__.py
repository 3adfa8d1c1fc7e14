"""Git and disk, no policy."""
