"""A team under faults: what its agents are to do, what is done to it, and whether all of it ended as it must."""
