"""Tables one can trust: where they come from, what they must hold, how they are repaired."""
