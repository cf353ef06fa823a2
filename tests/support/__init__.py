"""What several tests stand on; no test is in here but those of the contract's own checks."""
