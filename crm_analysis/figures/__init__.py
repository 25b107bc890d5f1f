"""Pictures: tables in, Axes out, each with its alternative text. Nothing is computed here."""
