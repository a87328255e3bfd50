"""The audit trail and the security log: who did what to which object, from where."""
