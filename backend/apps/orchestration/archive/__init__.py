"""The ZIP of everything that a person has here: `container` is its form, the other modules are what lies in it."""
