"""`ssowatch demo`: a working day in a minute and a half, with the real watcher, a real boto3 program and a simulated portal."""
