"""The comparison in pictures: each file one picture, on paper that is measured before anything is drawn."""
