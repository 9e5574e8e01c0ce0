"""MCP servers: which of them hang on which sign-in."""
