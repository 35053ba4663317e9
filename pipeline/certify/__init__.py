"""What is certified: gradients against finite differences, for sizes of one's own, and records, computed again."""
