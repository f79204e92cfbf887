"""From scores to relations, without torch: the rule, and how it is tuned."""
