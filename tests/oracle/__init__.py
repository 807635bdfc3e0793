"""What decisions must be: vectors, the contract's shapes, and all that a second reading says."""
