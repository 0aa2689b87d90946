"""Reading the settings that come from the environment."""
