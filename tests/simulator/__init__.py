"""A simulated IAM Identity Center: what a real AWS client can be pointed at.

`identity_center` is the truth (a state machine without clock, socket or thread), `role_keys` its STS half, `wire` its
HTTP form, `faults` the weather, `server` the thin edge, `control` and `remote` the two ends of its own-process form.
"""
