"""By whom: partners, their members, invitations and QR codes."""
