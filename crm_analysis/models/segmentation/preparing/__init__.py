"""From what is known of customers to points whose distances mean something."""
