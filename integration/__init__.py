"""Other systems: the HTTP API and its keys, events and webhooks, the log-in at issuers."""
