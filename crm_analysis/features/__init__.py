"""What is known of a customer, or of a case, as of a day. SQL over the tables; nothing after the day."""
