"""The team as tools of the Model Context Protocol. Needs the extra `orchgit[mcp]`."""
