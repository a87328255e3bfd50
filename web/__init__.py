"""HTTP without a word of the product: this package knows no other app."""
