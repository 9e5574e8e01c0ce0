"""A simulated IAM Identity Center in any weather: what a real AWS client can be pointed at.

Rules of this package:
1. `center` is the fine weather: it imports nothing from here, so that it can be shipped. The modules that bear the name
   of one of its parts and nothing else are the old names.
2. `faults` is the weather as data, `edge` and `server` are `center`'s with weather, `control` and `remote` are the two ends
   of its own-process form, `tls_proxy` is the way there for clients that know no endpoint variables, and `person` is
   somebody with a browser.
"""
