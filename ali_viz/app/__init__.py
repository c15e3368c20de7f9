"""How the app works: its state, what a person can do, what is shown of it, and what takes long."""
