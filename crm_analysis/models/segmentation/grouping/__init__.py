"""The search for groups: each algorithm in its module, data without groups as reference, and the decision between them."""
