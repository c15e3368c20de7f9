"""One script a claim, each side by side with the peer it is measured against."""
