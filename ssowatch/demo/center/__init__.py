"""A simulated IAM Identity Center in fine weather: what `aws sso login`, boto3 and a browser can be pointed at.

Rules of this package:
1. It imports the standard library and itself, nothing else; what goes wrong with the network is another package's, which
   extends this one (`edge.Edge`, `server.Server`).
2. `identity_center` is the truth, a state machine without clock, socket or thread. Its parts: `oidc` (what programs ask),
   `portal` (accounts and roles), `role_keys` (STS), `visits` (what a person's browser asks).
3. `wire` is its HTTP form and `pages` its HTML, both pure; `edge` is the socket, `server` puts them together.
"""
