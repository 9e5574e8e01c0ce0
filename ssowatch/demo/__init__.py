"""`ssowatch demo`: a working day in two minutes, with the real watcher, a real boto3 program and a simulated portal."""
