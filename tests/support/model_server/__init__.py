"""A model's server on loopback that plays scripts: real agents' command lines talk to it as to their own providers."""
