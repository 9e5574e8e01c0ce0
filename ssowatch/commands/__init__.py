"""One module per command of the command line; each imports only what it needs."""
