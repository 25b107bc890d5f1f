"""Models of customers and cases, and their honest evaluation. Tables of features in, results out."""
