"""ssowatch keeps AWS IAM Identity Center sign-ins alive. See docs/architecture.md for the picture."""

__version__ = "0.1.0"
