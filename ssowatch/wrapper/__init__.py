"""`mcp wrap`: an MCP server's stdio, passed on line by line, and calls that are held until the sign-in works again.

Rules of this package:
1. Bytes pass as they are. A line is parsed to know it, never to write it anew; what is written anew is an error to which
   a line of ours is added, and the client's handshake for a server that was restarted.
2. Standard library, threads, no loop: the wrapper lives as long as the server and must cost nothing beside it. What needs
   more (config, boto3, a person) is done by `ssowatch ensure` in a child.
3. `messages`, `readings`, `steps`, `limits` and `words` decide and are pure; `leash`, `server` and `ensuring` each own
   processes; `sign_in` looks; `calls` holds one call; `relay` puts them together.
"""
