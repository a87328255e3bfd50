"""The demo's partners, people and invitations: who they are, where they are, and their repair."""
