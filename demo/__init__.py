"""The demo: its data, its tour and its mailbox. Installed only with DEMO=1."""
