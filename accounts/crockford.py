"""Crockford's base32: the digits and letters that nobody takes for one another when typing."""

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
