"""What leaves the system: e-mails written with the action they report, sent by the worker."""
